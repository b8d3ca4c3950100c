package main

import "fmt"

// auditPolicy records who did what to which object, once for each request.
const auditPolicy = `{"apiVersion": "audit.k8s.io/v1", "kind": "Policy",
"omitStages": ["RequestReceived"], "rules": [{"level": "Metadata"}]}
`

func (c *controlPlane) etcdFlags() []string {
	client := fmt.Sprintf("http://127.0.0.1:%d", c.ports.etcd)
	peer := fmt.Sprintf("http://127.0.0.1:%d", c.ports.peer)
	return []string{
		"--name=e2e",
		"--data-dir=" + c.file("etcd"),
		"--listen-client-urls=" + client,
		"--advertise-client-urls=" + client,
		"--listen-peer-urls=" + peer,
		"--initial-advertise-peer-urls=" + peer,
		"--initial-cluster=e2e=" + peer,
		"--unsafe-no-fsync", // the data need not outlive the machine
		"--log-level=warn",
	}
}

func (c *controlPlane) apiserverFlags() []string {
	flags := []string{
		fmt.Sprintf("--etcd-servers=http://127.0.0.1:%d", c.ports.etcd),
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", c.ports.apiserver),
		"--endpoint-reconciler-type=none", // 127.0.0.1 is not a valid endpoint
		"--tls-cert-file=" + c.file("apiserver.crt"),
		"--tls-private-key-file=" + c.file("apiserver.key"),
		"--client-ca-file=" + c.file("ca.crt"),
		"--authorization-mode=Node,RBAC",
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + c.file("serviceaccount"),
		"--service-account-signing-key-file=" + c.file("serviceaccount"),
		"--service-cluster-ip-range=10.0.0.0/24",
		"--allow-privileged",
		"--audit-policy-file=" + c.file("audit-policy.json"),
		"--audit-log-path=" + c.file("audit.log"),
		"--audit-log-mode=blocking", // an event is in the file soon after its answer
		"--audit-log-maxsize=4096",  // MiB: one file for all
	}
	if !c.opts.kcm {
		// Nobody makes the service accounts that pods would need.
		flags = append(flags, "--disable-admission-plugins=ServiceAccount")
	}
	return append(flags, c.opts.apiserverFlags...)
}

func (c *controlPlane) kcmFlags() []string {
	return []string{
		"--kubeconfig=" + c.file("kcm.kubeconfig"),
		"--leader-elect=false",
		"--secure-port=0",
		"--use-service-account-credentials",
		"--root-ca-file=" + c.file("ca.crt"),
		"--service-account-private-key-file=" + c.file("serviceaccount"),
		"--controllers=*,-node-ipam-controller,-node-route-controller,-service-lb-controller,-cloud-node-lifecycle-controller",
		// The limits by default make the start take 4 s more.
		"--kube-api-qps=1000",
		"--kube-api-burst=2000",
	}
}

func (c *controlPlane) schedulerFlags() []string {
	return []string{
		"--kubeconfig=" + c.file("scheduler.kubeconfig"),
		"--leader-elect=false",
		"--secure-port=0",
		"--kube-api-qps=1000",
		"--kube-api-burst=2000",
	}
}

func (c *controlPlane) kwokFlags() []string {
	return []string{
		"--config=" + c.file("stages.yaml"),
		"--kubeconfig=" + c.file("kwok.kubeconfig"),
		"--manage-all-nodes=true",
		"--node-lease-duration-seconds=40",
		fmt.Sprintf("--server-address=127.0.0.1:%d", c.ports.kwok),
	}
}
