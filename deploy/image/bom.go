package main

import (
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"strings"
	"time"
)

// The parts of SPDX 2.3 (ISO/IEC 5962) that a list of Go modules needs.
type (
	document struct {
		SPDXVersion   string         `json:"spdxVersion"`
		DataLicense   string         `json:"dataLicense"`
		ID            string         `json:"SPDXID"`
		Name          string         `json:"name"`
		Namespace     string         `json:"documentNamespace"`
		Creation      creation       `json:"creationInfo"`
		Packages      []component    `json:"packages"`
		Relationships []relationship `json:"relationships"`
	}
	creation struct {
		Created  string   `json:"created"`
		Creators []string `json:"creators"`
	}
	component struct {
		ID        string      `json:"SPDXID"`
		Name      string      `json:"name"`
		Version   string      `json:"versionInfo"`
		Location  string      `json:"downloadLocation"`
		Analysed  bool        `json:"filesAnalyzed"`
		Licence   string      `json:"licenseConcluded"`
		Declared  string      `json:"licenseDeclared"`
		Copyright string      `json:"copyrightText"`
		Refs      []reference `json:"externalRefs"`
	}
	reference struct {
		Category string `json:"referenceCategory"`
		Type     string `json:"referenceType"`
		Locator  string `json:"referenceLocator"`
	}
	relationship struct {
		From string `json:"spdxElementId"`
		Kind string `json:"relationshipType"`
		To   string `json:"relatedSpdxElement"`
	}
)

// bom lists what the binary was built from, as the linker recorded it: what is
// in the list is in the program, and the other way round.
func bom(binary string) ([]byte, error) {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return nil, fmt.Errorf("what the binary is made of: %w", err)
	}
	main := info.Main
	revision := setting(info, "vcs.revision")
	d := document{
		SPDXVersion: "SPDX-2.3", DataLicense: "CC0-1.0", ID: "SPDXRef-DOCUMENT", Name: "sallyport",
		Namespace: "https://github.com/sallyport/sallyport/sbom/" + revision + "/" + setting(info, "GOOS") + "-" + setting(info, "GOARCH"),
		Creation:  creation{Created: created(info), Creators: []string{"Tool: sallyport-deploy-image"}},
	}
	modules := append([]*debug.Module{&main, {Path: "std", Version: strings.TrimPrefix(info.GoVersion, "go")}}, info.Deps...)
	for i, m := range modules {
		if m.Replace != nil {
			m = m.Replace
		}
		c := componentOf(i, m)
		d.Packages = append(d.Packages, c)
		if i == 0 {
			d.Relationships = append(d.Relationships, relationship{d.ID, "DESCRIBES", c.ID})
		} else {
			d.Relationships = append(d.Relationships, relationship{d.Packages[0].ID, "DEPENDS_ON", c.ID})
		}
	}
	out, err := json.MarshalIndent(d, "", " ")
	return append(out, '\n'), err
}

func componentOf(i int, m *debug.Module) component {
	purl := "pkg:golang/" + m.Path + "@" + m.Version
	return component{
		ID: fmt.Sprintf("SPDXRef-module-%d", i), Name: m.Path, Version: m.Version,
		Location: "NOASSERTION", Licence: "NOASSERTION", Declared: "NOASSERTION", Copyright: "NOASSERTION",
		Refs: []reference{{"PACKAGE-MANAGER", "purl", purl}},
	}
}

func setting(info *debug.BuildInfo, key string) string {
	for _, s := range info.Settings {
		if s.Key == key {
			return s.Value
		}
	}
	return "unknown"
}

// created is the commit's time: that of the build would differ each time.
func created(info *debug.BuildInfo) string {
	if at, err := time.Parse(time.RFC3339, setting(info, "vcs.time")); err == nil {
		return at.UTC().Format(time.RFC3339)
	}
	return time.Unix(0, 0).UTC().Format(time.RFC3339)
}
