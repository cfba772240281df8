//! Choosing by chance.

use super::Filter;
use crate::Result;
use crate::template::call::{Call, error};
use crate::template::protocol::{integer, iterate};
use crate::template::python;
use crate::template::random::Random;
use crate::value::Value;

/// A number below the value, or an item of the list.
fn random(mut call: Call) -> Result<Value> {
    let args = call.bind(&["start", "step", "seed"])?;
    let mut random = Random::new(args.given("seed"))?;
    let truthy = |name: &str| args.given(name).is_some_and(|v| v.is_truthy());
    if let Some(end) = integer(&call.value) {
        let end = i64::try_from(&end).map_err(|_| error("random: the number is too big"))?;
        let start = if truthy("start") {
            args.int("start", 0)?
        } else {
            0
        };
        let step = if truthy("step") {
            args.int("step", 1)?
        } else {
            1
        };
        return random.range(start, end, step).map(Value::Int);
    }
    let items = iterate(&call.value)
        .map_err(|_| error("random can only be used on sequences and integers"))?;
    if truthy("start") || truthy("step") {
        return Err(error("start and step can only be used with integer values"));
    }
    if items.is_empty() {
        return Err(error("Cannot choose from an empty sequence"));
    }
    let i = random.below(items.len() as u64)? as usize;
    Ok(items[i].clone())
}

fn shuffle(mut call: Call) -> Result<Value> {
    let args = call.bind(&["seed"])?;
    let Ok(mut items) = iterate(&call.value) else {
        return Ok(call.value);
    };
    Random::new(args.given("seed"))?.shuffle(&mut items)?;
    Ok(Value::list(items))
}

/// community.general's `random_mac`: a prefix filled up to a whole address.
fn random_mac(mut call: Call) -> Result<Value> {
    let args = call.bind(&["seed"])?;
    let Some(prefix) = call.value.as_str() else {
        return Err(error(format!(
            "Invalid value type ({}) for random_mac ({})",
            call.value.type_name(),
            python::str(&call.value)
        )));
    };
    let prefix = prefix.to_lowercase();
    let parts: Vec<&str> = prefix.split(':').collect();
    let valid = |p: &&str| p.len() == 2 && p.bytes().all(|b| b.is_ascii_hexdigit());
    if parts.len() > 5 {
        return Err(error(format!(
            "Invalid value ({prefix}) for random_mac: 5 colon(:) separated items max"
        )));
    }
    if let Some(bad) = parts.iter().find(|p| !valid(p)) {
        return Err(error(format!(
            "Invalid value ({prefix}) for random_mac: {bad} not hexa byte"
        )));
    }
    // ten digits are drawn, however many are needed
    let drawn = Random::new(args.given("seed"))?.range(1 << 36, 1 << 40, 1)?;
    let digits = format!("{drawn:x}");
    let mut out = prefix.clone();
    for i in 0..6 - parts.len() {
        out.push(':');
        out.push_str(&digits[2 * i..2 * i + 2]);
    }
    Ok(Value::from(out))
}

pub static FILTERS: &[(&str, Filter)] = &[
    ("random", random),
    ("random_mac", random_mac),
    ("shuffle", shuffle),
];
