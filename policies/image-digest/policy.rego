# METADATA
# title: Image is not pinned to a digest
# description: |
#   A tag can be pushed again with other content, so what was reviewed need not be what
#   runs. A digest names one image for good. Off by default, since few repositories pin
#   every image: switch it on with `rules: {image-digest: {severity: warning}}`. An image
#   without even a version is reported by image-latest.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/containers/images/#image-names
# custom:
#   id: image-digest
#   optin: true
#   help: add the digest behind the tag, as in `nginx:1.29.1@sha256:…`; Renovate keeps both current
package sallyport.image_digest

import data.sallyport.images
import data.sallyport.kubernetes

warn contains {"msg": msg, "pointer": pointer} if {
	some container in kubernetes.containers
	image := container.spec.image
	images.known(image)
	not images.has_digest(image)
	not images.tag(image) in {"", "latest"}
	pointer := concat("", [container.pointer, "/image"])
	msg := sprintf("Image %s of container %s is not pinned to a digest", [image, container.name])
}
