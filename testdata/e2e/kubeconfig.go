package main

import (
	"encoding/json"
	"fmt"
	"os"
)

// kubeconfig is the client configuration file, of which JSON is as good a
// spelling as YAML. Certificates are inside, so that the file can be moved.
type kubeconfig struct {
	APIVersion     string         `json:"apiVersion"`
	Kind           string         `json:"kind"`
	Clusters       []namedCluster `json:"clusters"`
	Users          []namedUser    `json:"users"`
	Contexts       []namedContext `json:"contexts"`
	CurrentContext string         `json:"current-context"`
}

type namedCluster struct {
	Name    string `json:"name"`
	Cluster struct {
		Server string `json:"server"`
		CA     []byte `json:"certificate-authority-data"`
	} `json:"cluster"`
}

type namedUser struct {
	Name string `json:"name"`
	User struct {
		Cert []byte `json:"client-certificate-data"`
		Key  []byte `json:"client-key-data"`
	} `json:"user"`
}

type namedContext struct {
	Name    string `json:"name"`
	Context struct {
		Cluster string `json:"cluster"`
		User    string `json:"user"`
	} `json:"context"`
}

// writeKubeconfig writes the file with which name speaks to server.
func writeKubeconfig(path, server, name string, ca []byte, p pair) error {
	var (
		c namedCluster
		u namedUser
		x namedContext
	)
	c.Name, c.Cluster.Server, c.Cluster.CA = "e2e", server, ca
	u.Name, u.User.Cert, u.User.Key = name, p.cert, p.key
	x.Name, x.Context.Cluster, x.Context.User = name+"@e2e", "e2e", name
	content, err := json.MarshalIndent(kubeconfig{
		APIVersion: "v1", Kind: "Config",
		Clusters: []namedCluster{c}, Users: []namedUser{u}, Contexts: []namedContext{x}, CurrentContext: x.Name,
	}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o600)
}

// newUser writes a kubeconfig for a user and its groups and returns its path.
func newUser(dir, server, name string, groups []string, ca *authority) (string, error) {
	p, err := ca.client(name, groups)
	if err != nil {
		return "", fmt.Errorf("certificate of %s: %w", name, err)
	}
	file, err := os.CreateTemp(dir, "user-*.kubeconfig")
	if err != nil {
		return "", err
	}
	file.Close()
	return file.Name(), writeKubeconfig(file.Name(), server, name, ca.pem, p)
}
