package sallyport.image_latest_test

import data.sallyport.fixture
import data.sallyport.image_latest

test_no_version if {
	every image in ["nginx", "nginx:latest", "registry.example:5000/nginx"] {
		image_latest.warn == {{
			"msg": sprintf("Image %s of container web has no fixed version", [image]),
			"pointer": fixture.at("/image"),
		}} with input as fixture.web({"image": image})
	}
}

test_version if {
	every image in ["nginx:1.29", "nginx@sha256:0123", "nginx:latest@sha256:0123", "nginx:${TAG}", "${IMAGE}"] {
		image_latest.warn == set() with input as fixture.web({"image": image})
	}
}

test_init_container if {
	count(image_latest.warn) == 1 with input as fixture.pod({"initContainers": [{"name": "wait", "image": "busybox"}]})
}
