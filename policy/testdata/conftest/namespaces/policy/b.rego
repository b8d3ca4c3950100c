package team.payments

warn contains sprintf("payments: %s", [input.metadata.name]) if input.kind == "Service"
