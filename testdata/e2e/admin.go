package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// admin speaks to the API server for "up" itself.
type admin struct {
	server string
	http   *http.Client
}

func newAdmin(server string, ca *authority, p pair) (*admin, error) {
	cert, err := tls.X509KeyPair(p.cert, p.key)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AddCert(ca.cert)
	const patience = 10 * time.Second // for one answer of a server that is starting
	return &admin{server: server, http: &http.Client{
		Timeout:   patience,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{cert}}},
	}}, nil
}

// call sends a request and decodes the answer into result, if there is one.
func (a *admin) call(ctx context.Context, method, path string, body, result any) error {
	var content bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&content).Encode(body); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, a.server+path, &content)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := a.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, answer)
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(answer, result)
}

func (a *admin) ready(ctx context.Context) error {
	return a.call(ctx, http.MethodGet, "/readyz", nil, nil)
}

func (a *admin) hasDefaultServiceAccount(ctx context.Context) error {
	return a.call(ctx, http.MethodGet, "/api/v1/namespaces/default/serviceaccounts/default", nil, nil)
}

// createNodes creates nodes in as many zones; kwok says what they can do.
func (a *admin) createNodes(ctx context.Context, count int) error {
	for i := range count {
		name := fmt.Sprintf("node-%d", i)
		node := map[string]any{
			"apiVersion": "v1", "kind": "Node",
			"metadata": map[string]any{"name": name, "labels": map[string]string{
				"kubernetes.io/arch":               "amd64",
				"kubernetes.io/hostname":           name,
				"kubernetes.io/os":                 "linux",
				"topology.kubernetes.io/region":    "region-0",
				"topology.kubernetes.io/zone":      fmt.Sprintf("zone-%d", i),
				"node.kubernetes.io/instance-type": "kwok",
			}},
		}
		if err := a.call(ctx, http.MethodPost, "/api/v1/nodes", node, nil); err != nil {
			return err
		}
	}
	return nil
}

// createStorageClass creates the class for claims that name none.
func (a *admin) createStorageClass(ctx context.Context) error {
	return a.call(ctx, http.MethodPost, "/apis/storage.k8s.io/v1/storageclasses", map[string]any{
		"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
		"metadata": map[string]any{"name": "standard", "annotations": map[string]string{
			"storageclass.kubernetes.io/is-default-class": "true",
		}},
		"provisioner": "sallyport.test/kwok",
	}, nil)
}

func (a *admin) nodesReady(ctx context.Context, want int) error {
	var list struct {
		Items []struct {
			Spec struct {
				Taints []struct{ Key string }
			}
			Status struct {
				Conditions []struct{ Type, Status string }
			}
		}
	}
	if err := a.call(ctx, http.MethodGet, "/api/v1/nodes", nil, &list); err != nil {
		return err
	}
	ready := 0
	for _, node := range list.Items {
		for _, c := range node.Status.Conditions {
			if c.Type == "Ready" && c.Status == "True" && len(node.Spec.Taints) == 0 {
				ready++
			}
		}
	}
	if ready < want {
		return fmt.Errorf("%d of %d nodes are ready", ready, want)
	}
	return nil
}
