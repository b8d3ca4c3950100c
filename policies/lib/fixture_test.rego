# METADATA
# description: Objects that the unit tests build on.
package sallyport.fixture

deployment(spec) := {
	"apiVersion": "apps/v1",
	"kind": "Deployment",
	"metadata": {"name": "web", "namespace": "shop"},
	"spec": {"template": {"spec": spec}},
}

pod(spec) := {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": spec}

job(spec) := {
	"apiVersion": "batch/v1",
	"kind": "Job",
	"metadata": {"name": "migrate"},
	"spec": {"template": {"spec": spec}},
}

# web is a deployment of one container.
web(container) := deployment({"containers": [object.union({"name": "web"}, container)]})

# at joins the pointer of web's container and a rest.
at(rest) := concat("", ["/spec/template/spec/containers/0", rest])
