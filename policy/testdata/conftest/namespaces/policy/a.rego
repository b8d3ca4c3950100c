package team.shop

deny contains sprintf("shop: %s", [input.metadata.name]) if input.kind == "Deployment"

exception contains ["other"] if true
