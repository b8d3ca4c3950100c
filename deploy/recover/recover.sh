#!/bin/sh
# Brings every target of a configuration back into an empty cluster, and stays until it
# is done:
#
#   recover.sh -k KEYFILE [-c DIRECTORY] [-o OVERLAY]
#
#   -k  age identities, as age-keygen writes them; - is standard input
#   -c  credentials: each file becomes a key of the Secret sallyport-credentials
#   -o  your overlay of deploy/recover, with the cluster's own configuration;
#       without it, the directory of this script
#
# It uses the current context of kubectl, as an administrator, and may be run again at
# any time. It ends with 0 when all targets were applied and healthy.
set -eu

kubectl=${KUBECTL:-kubectl}
namespace=sallyport
overlay=$(dirname -- "$0")
key= credentials=

usage() {
	echo "usage: recover.sh -k KEYFILE [-c DIRECTORY] [-o OVERLAY]" >&2
	exit 2
}

while getopts k:c:o: option; do
	case $option in
	k) key=$OPTARG ;;
	c) credentials=$OPTARG ;;
	o) overlay=$OPTARG ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
[ -n "$key" ] && [ $# -eq 0 ] || usage
[ "$key" != - ] || key=/dev/stdin

# Server-side, or kubectl would keep a copy of the key in an annotation.
store() {
	$kubectl create "$@" --dry-run=client -o yaml | $kubectl apply --server-side --force-conflicts -f - >/dev/null
}

# The rights to make namespaces, CRDs and Roles end with the recovery.
leave() {
	$kubectl delete clusterrolebinding sallyport-cluster sallyport-rbac sallyport-workloads --ignore-not-found >/dev/null
}

store namespace $namespace
store secret generic sallyport-age -n $namespace --from-file=identity.agekey="$key"
[ -z "$credentials" ] || store secret generic sallyport-credentials -n $namespace --from-file="$credentials"

$kubectl delete job sallyport -n $namespace --ignore-not-found --cascade=foreground >/dev/null
trap leave EXIT
trap 'exit 130' INT TERM
$kubectl apply --server-side --force-conflicts -k "$overlay"

echo "waiting for job/sallyport; kubectl logs -n $namespace -f job/sallyport shows what it does"
while :; do
	# An API server that does not answer for a moment is no end.
	case $($kubectl get job sallyport -n $namespace -o jsonpath='{.status.conditions[?(@.status=="True")].type}' || true) in
	*Complete*)
		echo "recovered; now apply your everyday overlay again"
		exit 0
		;;
	*Failed*)
		$kubectl logs -n $namespace --tail=50 job/sallyport >&2 || true
		echo "error: the recovery failed; mend the cause and run this again" >&2
		exit 1
		;;
	esac
	sleep 2
done
