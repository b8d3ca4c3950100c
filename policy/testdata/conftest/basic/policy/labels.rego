package labels

wanted := {"app.kubernetes.io/name", "app.kubernetes.io/version"}
