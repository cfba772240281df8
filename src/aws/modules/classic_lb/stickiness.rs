//! Sending a client to the same instance.

use crate::aws::plan::{Plan, fail};
use crate::modules::Failure;
use aws_sdk_elasticloadbalancing::types::LoadBalancerDescription;

/// How a client comes back to its instance.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StickinessArgs {
    /// Whose cookie decides.
    #[serde(rename = "type", default)]
    kind: Kind,
    #[serde(default = "crate::aws::types::yes")]
    enabled: bool,
    /// For how many seconds the load balancer's cookie is good; as long as the browser runs otherwise.
    expiration: Option<i64>,
    /// The name of the application's cookie.
    cookie: Option<String>,
}

#[derive(Clone, Copy, Default, PartialEq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Kind {
    #[default]
    Loadbalancer,
    Application,
}

/// The policy's name says all that it does, so that a change is another policy.
fn policy_name(args: &StickinessArgs) -> Result<String, Failure> {
    match args.kind {
        Kind::Loadbalancer => Ok(match args.expiration {
            Some(seconds) => format!("LBCookieStickinessPolicyType-{seconds}"),
            None => "LBCookieStickinessPolicyType".into(),
        }),
        Kind::Application => match &args.cookie {
            Some(cookie) => {
                let plain: String = cookie
                    .chars()
                    .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
                    .collect();
                Ok(format!("AppCookieStickinessPolicyType-{plain}"))
            }
            None => fail("stickiness: type application needs cookie"),
        },
    }
}

/// Makes all HTTP listeners sticky as wanted, or none of them.
pub fn sync(
    name: &str,
    args: &StickinessArgs,
    balancer: &LoadBalancerDescription,
    plan: &mut Plan,
) -> Result<(), Failure> {
    let elb = plan.elb();
    let policy = policy_name(args)?;
    let policies = balancer.policies();
    let exists = policies.is_some_and(|p| {
        p.lb_cookie_stickiness_policies()
            .iter()
            .any(|p| p.policy_name() == Some(&policy))
            || p.app_cookie_stickiness_policies()
                .iter()
                .any(|p| p.policy_name() == Some(&policy))
    });
    if args.enabled && !exists {
        if args.kind == Kind::Loadbalancer {
            let request = elb
                .create_lb_cookie_stickiness_policy()
                .load_balancer_name(name)
                .policy_name(&policy)
                .set_cookie_expiration_period(args.expiration);
            plan.change(
                "elasticloadbalancing:CreateLBCookieStickinessPolicy",
                request.send(),
            )?;
        } else {
            let request = elb
                .create_app_cookie_stickiness_policy()
                .load_balancer_name(name)
                .policy_name(&policy)
                .set_cookie_name(args.cookie.clone());
            plan.change(
                "elasticloadbalancing:CreateAppCookieStickinessPolicy",
                request.send(),
            )?;
        }
    }
    for description in balancer.listener_descriptions() {
        let Some(listener) = description.listener() else {
            continue;
        };
        if !listener.protocol().to_uppercase().starts_with("HTTP") {
            continue;
        }
        let current = description.policy_names();
        // other policies of the listener (ciphers) stay
        let mut wanted: Vec<String> = current
            .iter()
            .filter(|p| !p.contains("CookieStickinessPolicyType"))
            .cloned()
            .collect();
        if args.enabled {
            wanted.push(policy.clone());
        }
        let same = current.len() == wanted.len() && wanted.iter().all(|p| current.contains(p));
        if !same {
            let request = elb
                .set_load_balancer_policies_of_listener()
                .load_balancer_name(name)
                .load_balancer_port(listener.load_balancer_port())
                .set_policy_names(Some(wanted));
            plan.change(
                "elasticloadbalancing:SetLoadBalancerPoliciesOfListener",
                request.send(),
            )?;
        }
    }
    Ok(())
}
