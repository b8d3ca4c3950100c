package sallyport.namespace_default_test

import data.sallyport.namespace_default

test_default if {
	namespace_default.warn == {{
		"msg": "Service is put into the namespace default",
		"pointer": "/metadata/namespace",
	}} with input as {"kind": "Service", "metadata": {"namespace": "default"}}
}

test_own_or_none if {
	every metadata in [{"namespace": "shop"}, {}] {
		namespace_default.warn == set() with input as {"kind": "Service", "metadata": metadata}
	}
}
