//! `ec2_vpc_route_table`, `ec2_vpc_route_table_info`: route tables, their routes and subnets.

use super::{igw, subnet};
use crate::aws::Refusal;
use crate::aws::plan::{AwsModule, Plan, answered, fail, is_planned, note_created, planned_id};
use crate::aws::types::{Filters, Json, State, Tags, TextList, compact, given, yes};
use crate::modules::Failure;
use crate::result::TaskResult;
use aws_sdk_ec2::types::{ResourceType, Route, RouteOrigin, RouteTable};
use serde_json::json;

/// Creates, changes and removes route tables.
pub struct VpcRouteTable;

/// The options of `ec2_vpc_route_table`.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The VPC that the table is in.
    vpc_id: Option<String>,
    /// The id of the table, with `lookup: id`.
    route_table_id: Option<String>,
    /// Whether the table is found by its tags or by its id.
    #[serde(default)]
    lookup: Lookup,
    /// Tags of the table; with `lookup: tag` a table that has all of them is the one.
    #[serde(alias = "resource_tags")]
    #[schemars(extend("aliases" = ["resource_tags"]))]
    tags: Option<Tags>,
    /// Removes tags that `tags` does not list.
    #[serde(default = "yes")]
    purge_tags: bool,
    /// The table's routes: `dest`, and `gateway_id` (an internet, NAT or other gateway, an instance, a network
    /// interface, or `igw` for the VPC's internet gateway) or one of the more exact names.
    #[serde(default)]
    routes: Vec<RouteArgs>,
    /// Removes routes that `routes` does not list.
    #[serde(default = "yes")]
    purge_routes: bool,
    /// The subnets that use the table: ids, CIDR blocks or Name tags.
    subnets: Option<TextList>,
    /// Takes the table from subnets that `subnets` does not list.
    #[serde(default = "yes")]
    purge_subnets: bool,
    /// The virtual private gateways that may add routes.
    propagating_vgw_ids: Option<TextList>,
    #[serde(default)]
    state: State,
}

#[derive(Clone, Copy, Default, PartialEq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Lookup {
    #[default]
    Tag,
    Id,
}

/// A route.
#[derive(Clone, Debug, Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct RouteArgs {
    /// The CIDR block or prefix list that the route is for.
    #[serde(
        alias = "destination_cidr_block",
        alias = "cidr",
        alias = "destination_ipv6_cidr_block",
        alias = "destination_prefix_list_id"
    )]
    #[schemars(extend("aliases" = ["destination_cidr_block", "cidr", "destination_ipv6_cidr_block", "destination_prefix_list_id"]))]
    dest: String,
    gateway_id: Option<String>,
    nat_gateway_id: Option<String>,
    instance_id: Option<String>,
    #[serde(alias = "interface_id")]
    #[schemars(extend("aliases" = ["interface_id"]))]
    network_interface_id: Option<String>,
    vpc_peering_connection_id: Option<String>,
    transit_gateway_id: Option<String>,
    egress_only_internet_gateway_id: Option<String>,
    local_gateway_id: Option<String>,
    carrier_gateway_id: Option<String>,
    vpc_endpoint_id: Option<String>,
}

/// Where a route leads.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    Gateway(String),
    Nat(String),
    Instance(String),
    Interface(String),
    Peering(String),
    Transit(String),
    EgressOnly(String),
    Local(String),
    Carrier(String),
    Endpoint(String),
}

/// Sets the target on a route request: creation and replacement take the same.
macro_rules! aim {
    ($request:expr, $dest:expr, $target:expr) => {{
        let request = match kind_of($dest) {
            Destination::Ipv4 => $request.destination_cidr_block($dest),
            Destination::Ipv6 => $request.destination_ipv6_cidr_block($dest),
            Destination::PrefixList => $request.destination_prefix_list_id($dest),
        };
        match $target {
            Target::Gateway(id) => request.gateway_id(id),
            Target::Nat(id) => request.nat_gateway_id(id),
            Target::Instance(id) => request.instance_id(id),
            Target::Interface(id) => request.network_interface_id(id),
            Target::Peering(id) => request.vpc_peering_connection_id(id),
            Target::Transit(id) => request.transit_gateway_id(id),
            Target::EgressOnly(id) => request.egress_only_internet_gateway_id(id),
            Target::Local(id) => request.local_gateway_id(id),
            Target::Carrier(id) => request.carrier_gateway_id(id),
            Target::Endpoint(id) => request.vpc_endpoint_id(id),
        }
    }};
}

enum Destination {
    Ipv4,
    Ipv6,
    PrefixList,
}

fn kind_of(dest: &str) -> Destination {
    if dest.starts_with("pl-") {
        Destination::PrefixList
    } else if dest.contains(':') {
        Destination::Ipv6
    } else {
        Destination::Ipv4
    }
}

impl Target {
    /// From an id alone: its prefix says what it is.
    fn from_id(id: &str) -> Target {
        let id_of = || id.to_string();
        match id.split('-').next().unwrap_or_default() {
            "nat" => Target::Nat(id_of()),
            "i" => Target::Instance(id_of()),
            "eni" => Target::Interface(id_of()),
            "pcx" => Target::Peering(id_of()),
            "tgw" => Target::Transit(id_of()),
            "eigw" => Target::EgressOnly(id_of()),
            "lgw" => Target::Local(id_of()),
            "cagw" => Target::Carrier(id_of()),
            "vpce" => Target::Endpoint(id_of()),
            _ => Target::Gateway(id_of()),
        }
    }

    fn id(&self) -> &str {
        match self {
            Target::Gateway(id)
            | Target::Nat(id)
            | Target::Instance(id)
            | Target::Interface(id)
            | Target::Peering(id)
            | Target::Transit(id)
            | Target::EgressOnly(id)
            | Target::Local(id)
            | Target::Carrier(id)
            | Target::Endpoint(id) => id,
        }
    }

    /// Whether a route of AWS leads there. A route to an instance shows its network interface too.
    fn is_of(&self, route: &Route) -> bool {
        let id = Some(self.id());
        match self {
            // AWS shows an endpoint as a gateway
            Target::Gateway(_) | Target::Endpoint(_) => route.gateway_id() == id,
            Target::Nat(_) => route.nat_gateway_id() == id,
            Target::Instance(_) => route.instance_id() == id,
            Target::Interface(_) => route.network_interface_id() == id,
            Target::Peering(_) => route.vpc_peering_connection_id() == id,
            Target::Transit(_) => route.transit_gateway_id() == id,
            Target::EgressOnly(_) => route.egress_only_internet_gateway_id() == id,
            Target::Local(_) => route.local_gateway_id() == id,
            Target::Carrier(_) => route.carrier_gateway_id() == id,
        }
    }
}

impl RouteArgs {
    /// Where the route leads. Errors unless exactly one target is named.
    fn target(&self, vpc_id: &str, plan: &Plan) -> Result<Target, Failure> {
        type Make = fn(String) -> Target;
        let named: [(&Option<String>, Make); 9] = [
            (&self.nat_gateway_id, Target::Nat),
            (&self.instance_id, Target::Instance),
            (&self.network_interface_id, Target::Interface),
            (&self.vpc_peering_connection_id, Target::Peering),
            (&self.transit_gateway_id, Target::Transit),
            (&self.egress_only_internet_gateway_id, Target::EgressOnly),
            (&self.local_gateway_id, Target::Local),
            (&self.carrier_gateway_id, Target::Carrier),
            (&self.vpc_endpoint_id, Target::Endpoint),
        ];
        let mut targets: Vec<Target> = named
            .iter()
            .filter_map(|(id, make)| (*id).clone().filter(|id| !id.is_empty()).map(make))
            .collect();
        match self.gateway_id.as_deref() {
            None | Some("") => {}
            Some(igw) if igw.eq_ignore_ascii_case("igw") => {
                let gateway = igw::of_vpc(plan, vpc_id)?;
                let id = match gateway.and_then(|g| g.internet_gateway_id) {
                    Some(id) => id,
                    None if plan.check() => planned_id("igw"),
                    None => {
                        return fail(format!(
                            "VPC {vpc_id} has no internet gateway for the route to {}",
                            self.dest
                        ));
                    }
                };
                targets.push(Target::Gateway(id));
            }
            Some(id) => targets.push(Target::from_id(id)),
        }
        match targets.len() {
            1 => Ok(targets.remove(0)),
            0 => fail(format!(
                "The route to {} leads nowhere: it needs gateway_id, nat_gateway_id, instance_id or network_interface_id",
                self.dest
            )),
            _ => fail(format!(
                "The route to {} has more than one target",
                self.dest
            )),
        }
    }
}

impl AwsModule for VpcRouteTable {
    const NAMES: &'static [&'static str] = &[
        "ec2_vpc_route_table",
        "amazon.aws.ec2_vpc_route_table",
        "community.aws.ec2_vpc_route_table",
    ];
    type Args = Args;

    fn run(args: Args, plan: &mut Plan) -> Result<TaskResult, Failure> {
        let found = find(&args, plan)?;
        match args.state {
            State::Present => present(args, found, plan),
            State::Absent => absent(found, plan),
        }
    }
}

fn find(args: &Args, plan: &Plan) -> Result<Option<RouteTable>, Failure> {
    match args.lookup {
        Lookup::Id => {
            let Some(id) = &args.route_table_id else {
                return fail("lookup is id but all of the following are missing: route_table_id");
            };
            let found = describe(plan, id)?;
            if found.is_none() && args.state == State::Present {
                return fail(format!("There is no route table {id}"));
            }
            Ok(found)
        }
        Lookup::Tag => {
            let Some(vpc_id) = &args.vpc_id else {
                return fail("ec2_vpc_route_table needs vpc_id to find a table by its tags");
            };
            let Some(tags) = args.tags.as_ref().filter(|tags| !tags.0.is_empty()) else {
                return fail("ec2_vpc_route_table needs tags to find the table by, or lookup: id");
            };
            let mut tables = in_vpc(plan, vpc_id)?;
            tables.retain(|table| Tags::from_ec2(table.tags()).contains(tags));
            if tables.len() > 1 {
                return fail("Tags provided do not identify a unique route table");
            }
            Ok(tables.pop())
        }
    }
}

fn present(args: Args, found: Option<RouteTable>, plan: &mut Plan) -> Result<TaskResult, Failure> {
    let ec2 = plan.ec2();
    let created = found.is_none();
    let tags = args.tags.clone().unwrap_or_default();
    let table = match found {
        Some(table) => table,
        None => {
            let vpc_id = args.vpc_id.as_deref().unwrap_or_default();
            let request = ec2
                .create_route_table()
                .vpc_id(vpc_id)
                .set_tag_specifications(tags.specification(ResourceType::RouteTable));
            match plan.change_fresh("ec2:CreateRouteTable", || request.clone().send())? {
                Some(made) => answered("ec2:CreateRouteTable", made.route_table)?,
                None => return Ok(plan.result(json!({"route_table": predicted(&args, &tags)}))),
            }
        }
    };
    let id = table.route_table_id().unwrap_or_default().to_string();
    let vpc_id = table.vpc_id().unwrap_or_default().to_string();
    if created {
        note_created(&id);
    } else {
        let current = Tags::from_ec2(table.tags());
        plan.sync_tags(&id, &current, args.tags.as_ref(), args.purge_tags)?;
    }
    if let Some(wanted) = &args.propagating_vgw_ids {
        sync_propagation(&table, &wanted.0, plan)?;
    }
    sync_routes(&args, &table, &vpc_id, plan)?;
    if let Some(wanted) = &args.subnets {
        sync_subnets(&args, &id, &vpc_id, &wanted.0, plan)?;
    }
    let now = if plan.changed() && !plan.check() {
        plan.wait_visible(&format!("route table {id}"), |plan| describe(plan, &id))?
    } else {
        table
    };
    Ok(plan.result(json!({"route_table": to_json(&now)})))
}

fn destination(route: &Route) -> &str {
    route
        .destination_cidr_block()
        .or(route.destination_ipv6_cidr_block())
        .or(route.destination_prefix_list_id())
        .unwrap_or_default()
}

/// Whether somebody made the route by hand or by a tool: neither the VPC's own nor a propagated one.
fn is_made(route: &Route) -> bool {
    route.gateway_id() != Some("local")
        && matches!(route.origin(), None | Some(RouteOrigin::CreateRoute))
        // gateway endpoints bring their own routes and take them away
        && !(route.destination_prefix_list_id().is_some()
            && route.gateway_id().is_some_and(|g| g.starts_with("vpce-")))
}

fn sync_routes(
    args: &Args,
    table: &RouteTable,
    vpc_id: &str,
    plan: &mut Plan,
) -> Result<(), Failure> {
    let ec2 = plan.ec2();
    let id = table.route_table_id().unwrap_or_default();
    let current: Vec<&Route> = table.routes().iter().filter(|r| is_made(r)).collect();
    for wanted in &args.routes {
        // the VPC's own route is always there
        if wanted.gateway_id.as_deref() == Some("local") {
            continue;
        }
        let target = wanted.target(vpc_id, plan)?;
        let dest = wanted.dest.as_str();
        match current.iter().find(|route| destination(route) == dest) {
            Some(route) if target.is_of(route) => {}
            Some(_) => {
                let request = aim!(ec2.replace_route().route_table_id(id), dest, &target);
                plan.change_fresh("ec2:ReplaceRoute", || request.clone().send())?;
            }
            None => {
                let request = aim!(ec2.create_route().route_table_id(id), dest, &target);
                plan.change_fresh("ec2:CreateRoute", || request.clone().send())?;
            }
        }
    }
    if args.purge_routes {
        for route in current {
            let dest = destination(route);
            if args.routes.iter().any(|wanted| wanted.dest == dest) {
                continue;
            }
            let request = ec2.delete_route().route_table_id(id);
            let request = match kind_of(dest) {
                Destination::Ipv4 => request.destination_cidr_block(dest),
                Destination::Ipv6 => request.destination_ipv6_cidr_block(dest),
                Destination::PrefixList => request.destination_prefix_list_id(dest),
            };
            plan.change("ec2:DeleteRoute", request.send())?;
        }
    }
    Ok(())
}

fn sync_propagation(table: &RouteTable, wanted: &[String], plan: &mut Plan) -> Result<(), Failure> {
    let ec2 = plan.ec2();
    let id = table.route_table_id().unwrap_or_default();
    let current: Vec<&str> = table
        .propagating_vgws()
        .iter()
        .filter_map(|v| v.gateway_id())
        .collect();
    for gateway in wanted {
        if !current.contains(&gateway.as_str()) {
            plan.change_fresh("ec2:EnableVgwRoutePropagation", || {
                ec2.enable_vgw_route_propagation()
                    .route_table_id(id)
                    .gateway_id(gateway)
                    .send()
            })?;
        }
    }
    for gateway in current {
        if !wanted.iter().any(|w| w == gateway) {
            let request = ec2
                .disable_vgw_route_propagation()
                .route_table_id(id)
                .gateway_id(gateway);
            plan.change("ec2:DisableVgwRoutePropagation", request.send())?;
        }
    }
    Ok(())
}

/// The ids of subnets given by id, CIDR block or name.
fn resolve_subnets(vpc_id: &str, wanted: &[String], plan: &Plan) -> Result<Vec<String>, Failure> {
    // also those just created: they may take a moment to be seen
    let resolve = |plan: &Plan| -> Result<Result<Vec<String>, String>, Refusal> {
        let subnets = subnet::list(plan, &subnet::in_vpc(vpc_id), &[])?;
        let mut ids = Vec::new();
        for name in wanted.iter().filter(|name| !is_planned(name)) {
            let found: Vec<_> = subnets
                .iter()
                .filter(|s| {
                    s.subnet_id() == Some(name)
                        || s.cidr_block() == Some(name)
                        || s.tags()
                            .iter()
                            .any(|t| t.key() == Some("Name") && t.value() == Some(name))
                })
                .filter_map(|s| s.subnet_id())
                .collect();
            match found[..] {
                [id] => ids.push(id.to_string()),
                [] => {
                    return Ok(Err(format!(
                        "Unable to find the subnet {name} in VPC {vpc_id}"
                    )));
                }
                _ => {
                    return Ok(Err(format!(
                        "Several subnets of VPC {vpc_id} are called {name}: {}",
                        found.join(", ")
                    )));
                }
            }
        }
        Ok(Ok(ids))
    };
    resolve(plan)?.map_err(Failure::new)
}

fn sync_subnets(
    args: &Args,
    id: &str,
    vpc_id: &str,
    wanted: &[String],
    plan: &mut Plan,
) -> Result<(), Failure> {
    let ec2 = plan.ec2();
    let wanted = resolve_subnets(vpc_id, wanted, plan)?;
    // subnet, association, table
    let mut associations: Vec<(String, String, String)> = Vec::new();
    for table in in_vpc(plan, vpc_id)? {
        for association in table.associations() {
            if let (Some(subnet), Some(association)) = (
                association.subnet_id(),
                association.route_table_association_id(),
            ) {
                associations.push((
                    subnet.to_string(),
                    association.to_string(),
                    table.route_table_id().unwrap_or_default().to_string(),
                ));
            }
        }
    }
    for subnet in &wanted {
        match associations.iter().find(|(s, _, _)| s == subnet) {
            Some((_, _, table)) if table == id => {}
            Some((_, association, _)) => {
                plan.change_fresh("ec2:ReplaceRouteTableAssociation", || {
                    ec2.replace_route_table_association()
                        .association_id(association)
                        .route_table_id(id)
                        .send()
                })?;
            }
            None => {
                plan.change_fresh("ec2:AssociateRouteTable", || {
                    ec2.associate_route_table()
                        .route_table_id(id)
                        .subnet_id(subnet)
                        .send()
                })?;
            }
        }
    }
    if args.purge_subnets {
        for (subnet, association, table) in &associations {
            if table == id && !wanted.contains(subnet) {
                let request = ec2.disassociate_route_table().association_id(association);
                plan.change("ec2:DisassociateRouteTable", request.send())?;
            }
        }
    }
    Ok(())
}

fn absent(found: Option<RouteTable>, plan: &mut Plan) -> Result<TaskResult, Failure> {
    if let Some(table) = found {
        let ec2 = plan.ec2();
        for association in table.associations() {
            if association.main() != Some(true)
                && let Some(id) = association.route_table_association_id()
            {
                let request = ec2.disassociate_route_table().association_id(id);
                plan.change("ec2:DisassociateRouteTable", request.send())?;
            }
        }
        let id = table.route_table_id().unwrap_or_default();
        plan.change(
            "ec2:DeleteRouteTable",
            ec2.delete_route_table().route_table_id(id).send(),
        )?;
    }
    Ok(plan.result(json!({"route_table": {}})))
}

fn in_vpc(plan: &Plan, vpc_id: &str) -> Result<Vec<RouteTable>, Refusal> {
    list(plan, &subnet::in_vpc(vpc_id), &[])
}

fn describe(plan: &Plan, id: &str) -> Result<Option<RouteTable>, Refusal> {
    Ok(list(plan, &Filters::by("route-table-id", &[id]), &[])?.pop())
}

fn list(plan: &Plan, filters: &Filters, ids: &[String]) -> Result<Vec<RouteTable>, Refusal> {
    let request = plan
        .ec2()
        .describe_route_tables()
        .set_filters(filters.to_ec2())
        .set_route_table_ids(given(ids));
    plan.read(
        "ec2:DescribeRouteTables",
        request.into_paginator().items().send().try_collect(),
    )
}

fn predicted(args: &Args, tags: &Tags) -> Json {
    let id = planned_id("rtb");
    json!({"id": id, "route_table_id": id, "vpc_id": args.vpc_id, "routes": [], "associations": [], "tags": tags.to_json()})
}

fn to_json(table: &RouteTable) -> Json {
    compact(json!({
        "id": table.route_table_id(),
        "route_table_id": table.route_table_id(),
        "vpc_id": table.vpc_id(),
        "owner_id": table.owner_id(),
        "associations": table.associations().iter().map(|a| json!({
            "id": a.route_table_association_id(),
            "route_table_association_id": a.route_table_association_id(),
            "route_table_id": a.route_table_id(),
            "subnet_id": a.subnet_id(),
            "gateway_id": a.gateway_id(),
            "main": a.main().unwrap_or(false),
            "association_state": a.association_state().map(|s| json!({"state": s.state().map(|s| s.as_str())})),
        })).collect::<Vec<_>>(),
        "routes": table.routes().iter().map(|r| json!({
            "destination_cidr_block": r.destination_cidr_block(),
            "destination_ipv6_cidr_block": r.destination_ipv6_cidr_block(),
            "destination_prefix_list_id": r.destination_prefix_list_id(),
            "gateway_id": r.gateway_id(),
            "nat_gateway_id": r.nat_gateway_id(),
            "instance_id": r.instance_id(),
            "instance_owner_id": r.instance_owner_id(),
            "network_interface_id": r.network_interface_id(),
            "interface_id": r.network_interface_id(),
            "vpc_peering_connection_id": r.vpc_peering_connection_id(),
            "transit_gateway_id": r.transit_gateway_id(),
            "egress_only_internet_gateway_id": r.egress_only_internet_gateway_id(),
            "local_gateway_id": r.local_gateway_id(),
            "carrier_gateway_id": r.carrier_gateway_id(),
            "origin": r.origin().map(|o| o.as_str()),
            "state": r.state().map(|s| s.as_str()),
        })).collect::<Vec<_>>(),
        "propagating_vgws": table.propagating_vgws().iter().map(|v| json!({"gateway_id": v.gateway_id()})).collect::<Vec<_>>(),
        "tags": Tags::from_ec2(table.tags()).to_json(),
    }))
}

/// Lists route tables.
pub struct VpcRouteTableInfo;

/// The options of `ec2_vpc_route_table_info`.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InfoArgs {
    /// Only these.
    #[serde(default)]
    route_table_ids: TextList,
    /// Filters of DescribeRouteTables.
    #[serde(default)]
    filters: Filters,
}

impl AwsModule for VpcRouteTableInfo {
    const NAMES: &'static [&'static str] = &[
        "ec2_vpc_route_table_info",
        "ec2_vpc_route_table_facts",
        "amazon.aws.ec2_vpc_route_table_info",
        "amazon.aws.ec2_vpc_route_table_facts",
        "community.aws.ec2_vpc_route_table_info",
        "community.aws.ec2_vpc_route_table_facts",
    ];
    type Args = InfoArgs;

    fn run(args: InfoArgs, plan: &mut Plan) -> Result<TaskResult, Failure> {
        let found: Vec<_> = list(plan, &args.filters, &args.route_table_ids.0)?
            .iter()
            .map(to_json)
            .collect();
        Ok(plan.result(json!({"route_tables": found})))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_what_it_is() {
        for (id, wanted) in [
            ("igw-1", Target::Gateway("igw-1".into())),
            ("vgw-1", Target::Gateway("vgw-1".into())),
            ("nat-1", Target::Nat("nat-1".into())),
            ("i-1", Target::Instance("i-1".into())),
            ("eni-1", Target::Interface("eni-1".into())),
            ("pcx-1", Target::Peering("pcx-1".into())),
            ("tgw-1", Target::Transit("tgw-1".into())),
            ("eigw-1", Target::EgressOnly("eigw-1".into())),
        ] {
            assert_eq!(Target::from_id(id), wanted);
        }
    }

    #[test]
    fn own_and_propagated_routes_are_left_alone() {
        let made = Route::builder()
            .destination_cidr_block("0.0.0.0/0")
            .gateway_id("igw-1");
        assert!(is_made(&made.clone().build()));
        assert!(!is_made(&Route::builder().gateway_id("local").build()));
        let propagated = made.origin(RouteOrigin::EnableVgwRoutePropagation).build();
        assert!(!is_made(&propagated));
        let endpoint = Route::builder()
            .destination_prefix_list_id("pl-1")
            .gateway_id("vpce-1")
            .build();
        assert!(!is_made(&endpoint));
    }
}
