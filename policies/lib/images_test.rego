package sallyport.images_test

import data.sallyport.images

test_tag if {
	every ref, tag in {
		"nginx": "",
		"nginx:1.29": "1.29",
		"docker.io/library/nginx:latest": "latest",
		"registry.example:5000/team/app": "",
		"registry.example:5000/team/app:v2": "v2",
		"registry.example:5000/team/app@sha256:0123": "",
		"registry.example:5000/team/app:v2@sha256:0123": "v2",
	} {
		images.tag(ref) == tag
	}
}

test_digest if {
	images.has_digest("nginx:1.29@sha256:0123")
	not images.has_digest("nginx:1.29")
}

test_known if {
	images.known("nginx")
	not images.known("nginx:${TAG}")
	not images.known("$(IMAGE)")
	not images.known(" ")
}
