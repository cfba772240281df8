#!/bin/sh
cat <<EOF
{"web": {"hosts": ["a", "b"], "vars": {"g": 1}}, "all": {"children": ["web"]}, "_meta": {"hostvars": {"a": {"x": "y"}}}}
EOF
