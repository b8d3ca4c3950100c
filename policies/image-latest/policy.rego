# METADATA
# title: Image has no version of its own
# description: |
#   The reference has no tag, or the tag `latest`, and no digest. What runs is then
#   decided when a node pulls the image: two pods of one Deployment can run different
#   code, a restart can deploy an unreviewed change, and a rollback rolls nothing back.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/containers/images/#image-names
# custom:
#   id: image-latest
#   help: name the version, and better still its digest, as in `nginx:1.29.1@sha256:…`
package sallyport.image_latest

import data.sallyport.images
import data.sallyport.kubernetes

warn contains {"msg": msg, "pointer": pointer} if {
	some container in kubernetes.containers
	image := container.spec.image
	images.known(image)
	not images.has_digest(image)
	images.tag(image) in {"", "latest"}
	pointer := concat("", [container.pointer, "/image"])
	msg := sprintf("Image %s of container %s has no fixed version", [image, container.name])
}
