# METADATA
# title: Image references
# description: |
#   The parts of a container image reference, `registry:5000/path/name:tag@digest`.
package sallyport.images

# known is true for a reference that is spelled out, as against one that a
# variable such as `${TAG}` or `$(IMAGE)` completes later, or that OpenShift's
# image triggers fill in where it is blank.
known(ref) if regex.match(`^[^$\s]+$`, ref)

# has_digest is true for a reference that names exactly one image.
has_digest(ref) if contains(ref, "@")

# tag is the reference's tag, "" if it has none. A port of the registry is none.
tag(ref) := concat("", array.slice(split(regex.replace(ref, `^.*/|@.*$`, ""), ":"), 1, 2))
