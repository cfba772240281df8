//! What a load balancer listens on.

use crate::aws::plan::{Plan, fail};
use crate::aws::types::Json;
use crate::modules::Failure;
use aws_sdk_elasticloadbalancing::types::{Listener, ListenerDescription};
use serde_json::json;

/// A listener.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListenerArgs {
    /// `http`, `https`, `tcp` or `ssl`.
    protocol: String,
    load_balancer_port: i32,
    instance_port: i32,
    /// The protocol to the instances; `protocol` otherwise.
    instance_protocol: Option<String>,
    /// The ARN of the certificate, for `https` and `ssl`.
    ssl_certificate_id: Option<String>,
    /// Tells the instances the client's address by the PROXY protocol. Not supported.
    proxy_protocol: Option<bool>,
}

impl ListenerArgs {
    /// As AWS takes it. Errors if it does not fit together.
    pub fn build(&self) -> Result<Listener, Failure> {
        let protocol = self.protocol.to_uppercase();
        let certificate = self.ssl_certificate_id.clone().filter(|c| !c.is_empty());
        if self.proxy_protocol == Some(true) {
            return fail("listeners: proxy_protocol is not supported by rplay");
        }
        match protocol.as_str() {
            "HTTP" | "TCP" => {}
            "HTTPS" | "SSL" if certificate.is_some() => {}
            "HTTPS" | "SSL" => {
                return fail(format!(
                    "listeners: protocol {} on port {} needs ssl_certificate_id",
                    self.protocol, self.load_balancer_port
                ));
            }
            _ => {
                return fail(format!(
                    "listeners: protocol is {}: it must be http, https, tcp or ssl",
                    self.protocol
                ));
            }
        }
        let behind = self
            .instance_protocol
            .as_ref()
            .map_or_else(|| protocol.clone(), |p| p.to_uppercase());
        Listener::builder()
            .protocol(protocol)
            .load_balancer_port(self.load_balancer_port)
            .instance_protocol(behind)
            .instance_port(self.instance_port)
            .set_ssl_certificate_id(certificate)
            .build()
            .map_err(|e| Failure::new(format!("listeners: {e}")))
    }
}

/// Makes the listeners the wanted ones. There is one a port.
pub fn sync(
    name: &str,
    wanted: &[ListenerArgs],
    current: &[ListenerDescription],
    purge: bool,
    plan: &mut Plan,
) -> Result<(), Failure> {
    let elb = plan.elb();
    let wanted: Vec<Listener> = wanted
        .iter()
        .map(ListenerArgs::build)
        .collect::<Result<_, _>>()?;
    let mut delete = Vec::new();
    let mut create = Vec::new();
    let mut certificates = Vec::new();
    let current: Vec<&Listener> = current.iter().filter_map(|d| d.listener()).collect();
    for listener in &wanted {
        let port = listener.load_balancer_port();
        match current.iter().find(|c| c.load_balancer_port() == port) {
            None => create.push(listener.clone()),
            Some(old) if is_same(old, listener) => {
                if old.ssl_certificate_id() != listener.ssl_certificate_id()
                    && let Some(certificate) = listener.ssl_certificate_id()
                {
                    certificates.push((port, certificate.to_string()));
                }
            }
            Some(_) => {
                delete.push(port);
                create.push(listener.clone());
            }
        }
    }
    if purge {
        delete.extend(
            current
                .iter()
                .map(|c| c.load_balancer_port())
                .filter(|port| !wanted.iter().any(|w| w.load_balancer_port() == *port)),
        );
    }
    if !delete.is_empty() {
        let request = elb
            .delete_load_balancer_listeners()
            .load_balancer_name(name)
            .set_load_balancer_ports(Some(delete));
        plan.change(
            "elasticloadbalancing:DeleteLoadBalancerListeners",
            request.send(),
        )?;
    }
    for (port, certificate) in certificates {
        let request = elb
            .set_load_balancer_listener_ssl_certificate()
            .load_balancer_name(name)
            .load_balancer_port(port)
            .ssl_certificate_id(certificate);
        plan.change(
            "elasticloadbalancing:SetLoadBalancerListenerSSLCertificate",
            request.send(),
        )?;
    }
    if !create.is_empty() {
        let request = elb
            .create_load_balancer_listeners()
            .load_balancer_name(name)
            .set_listeners(Some(create));
        plan.change(
            "elasticloadbalancing:CreateLoadBalancerListeners",
            request.send(),
        )?;
    }
    Ok(())
}

/// Equal but for the certificate, which can be exchanged.
fn is_same(a: &Listener, b: &Listener) -> bool {
    let behind = |l: &Listener| l.instance_protocol().unwrap_or(l.protocol()).to_uppercase();
    a.protocol().eq_ignore_ascii_case(b.protocol())
        && a.instance_port() == b.instance_port()
        && behind(a) == behind(b)
}

/// `[port, instance port, protocol, instance protocol]`, and the certificate if there is one.
pub fn to_json(listener: &Listener) -> Json {
    let mut parts = vec![
        json!(listener.load_balancer_port()),
        json!(listener.instance_port()),
        json!(listener.protocol()),
        json!(listener.instance_protocol()),
    ];
    if let Some(certificate) = listener.ssl_certificate_id() {
        parts.push(json!(certificate));
    }
    Json::Array(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_needs_a_certificate() {
        let listener = |json: Json| {
            serde_json::from_value::<ListenerArgs>(json)
                .unwrap()
                .build()
        };
        let plain = json!({"protocol": "http", "load_balancer_port": 80, "instance_port": 8080});
        let plain = listener(plain).unwrap();
        assert_eq!(to_json(&plain), json!([80, 8080, "HTTP", "HTTP"]));
        let bare = json!({"protocol": "https", "load_balancer_port": 443, "instance_port": 443, "ssl_certificate_id": ""});
        assert_eq!(
            listener(bare).unwrap_err().msg,
            "listeners: protocol https on port 443 needs ssl_certificate_id"
        );
        let odd = json!({"protocol": "quic", "load_balancer_port": 1, "instance_port": 1});
        assert!(listener(odd).is_err());
    }
}
