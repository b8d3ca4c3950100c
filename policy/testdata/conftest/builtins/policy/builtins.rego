package main

deny contains msg if {
	settings := parse_config("yaml", "level: debug\nnested: {list: [1, 2]}")
	msg := sprintf("parsed %s %d", [settings.level, settings.nested.list[1]])
}

deny contains msg if {
	parsed := yaml.unmarshal("a: 1")
	json.unmarshal(`{"b": 2}`).b == 2
	msg := sprintf("%d %s", [parsed.a, data.conftest.file.name])
}

# A built-in that fails leaves its rule undefined.
deny contains "never" if to_number("no number") == 1

warn contains msg if {
	time.parse_duration_ns("1s") == 1000000000
	units.parse_bytes("1Ki") == 1024
	regex.match(`^w`, input.metadata.name)
	semver.compare("1.2.3", "1.10.0") < 0
	msg := crypto.sha256(base64.encode(input.metadata.name))
}
