package sallyport.image_digest_test

import data.sallyport.fixture
import data.sallyport.image_digest

test_tag_only if {
	image_digest.warn == {{
		"msg": "Image nginx:1.29 of container web is not pinned to a digest",
		"pointer": fixture.at("/image"),
	}} with input as fixture.web({"image": "nginx:1.29"})
}

test_pinned_or_of_another_rule if {
	every image in ["nginx:1.29@sha256:0123", "nginx@sha256:0123", "nginx", "nginx:latest", "nginx:${TAG}"] {
		image_digest.warn == set() with input as fixture.web({"image": image})
	}
}
