//! Randomness: the system's, or Python's generator where a seed is given.
//!
//! A seed must give what it gives in Ansible, because users rely on it (`random(seed=inventory_hostname)`
//! spreads hosts over minutes, and must not move them when they switch).

use super::call::error;
use super::python;
use crate::Result;
use crate::value::Value;
use num_bigint::BigInt;
use sha2::Digest;

/// Fills `bytes` from the system's source of randomness.
pub fn system_bytes(bytes: &mut [u8]) -> Result<()> {
    use std::io::Read;
    std::fs::File::open("/dev/urandom")
        .and_then(|mut f| f.read_exact(bytes))
        .map_err(|e| error(format!("cannot read /dev/urandom: {e}")))
}

/// A source of random numbers.
pub enum Random {
    System,
    Seeded(Box<Mersenne>),
}

impl Random {
    /// Python's `random.Random(seed)`; the system's source without a seed.
    pub fn new(seed: Option<&Value>) -> Result<Random> {
        let Some(seed) = seed else {
            return Ok(Random::System);
        };
        let key = match (super::protocol::integer(seed), seed.as_str()) {
            (Some(i), _) => i.magnitude().to_bytes_le(),
            (None, Some(text)) => {
                // version 2 seeding: the text, then its digest, as one big-endian number
                let mut bytes = text.as_bytes().to_vec();
                bytes.extend_from_slice(&sha2::Sha512::digest(text.as_bytes()));
                bytes.reverse();
                bytes
            }
            _ => {
                return Err(error(format!(
                    "random: a seed of type {} is not supported",
                    seed.type_name()
                ))
                .hint(format!(
                    "make it text: {}",
                    python::quote(&python::str(seed))
                )));
            }
        };
        let mut words: Vec<u32> = key
            .chunks(4)
            .map(|c| {
                c.iter()
                    .rev()
                    .fold(0, |word, byte| word << 8 | u32::from(*byte))
            })
            .collect();
        while words.len() > 1 && words.last() == Some(&0) {
            words.pop();
        }
        if words.is_empty() {
            words.push(0);
        }
        Ok(Random::Seeded(Box::new(Mersenne::by_array(&words))))
    }

    fn bits(&mut self, count: u32) -> Result<u64> {
        match self {
            Random::System => {
                let mut bytes = [0; 8];
                system_bytes(&mut bytes)?;
                Ok(u64::from_le_bytes(bytes) >> (64 - count))
            }
            Random::Seeded(m) if count <= 32 => Ok(u64::from(m.next() >> (32 - count))),
            Random::Seeded(m) => {
                let low = u64::from(m.next());
                let high = u64::from(m.next() >> (64 - count));
                Ok(high << 32 | low)
            }
        }
    }

    /// A number from 0 to `limit`, exclusive. `limit` is not 0.
    pub fn below(&mut self, limit: u64) -> Result<u64> {
        let count = 64 - limit.leading_zeros();
        loop {
            let drawn = self.bits(count)?;
            if drawn < limit {
                return Ok(drawn);
            }
        }
    }

    /// Python's `shuffle`.
    pub fn shuffle(&mut self, items: &mut [Value]) -> Result<()> {
        for i in (1..items.len()).rev() {
            let j = self.below(i as u64 + 1)? as usize;
            items.swap(i, j);
        }
        Ok(())
    }

    /// Python's `randrange(start, stop, step)`.
    pub fn range(&mut self, start: i64, stop: i64, step: i64) -> Result<i64> {
        let empty = || {
            error(format!(
                "empty range for randrange() ({start}, {stop}, {step})"
            ))
        };
        if step == 0 {
            return Err(error("zero step for randrange()"));
        }
        let width = i128::from(stop) - i128::from(start);
        let step = i128::from(step);
        let count = if step > 0 {
            (width + step - 1).div_euclid(step)
        } else {
            (width + step + 1) / step
        };
        let count = u64::try_from(count).ok().filter(|n| *n > 0);
        let drawn = self.below(count.ok_or_else(empty)?)?;
        let value = BigInt::from(start) + BigInt::from(step) * BigInt::from(drawn);
        i64::try_from(value).map_err(|_| empty())
    }
}

/// The Mersenne twister MT19937.
pub struct Mersenne {
    state: [u32; 624],
    index: usize,
}

impl Mersenne {
    fn by_number(seed: u32) -> Mersenne {
        let mut state = [seed; 624];
        for i in 1..624 {
            let before = state[i - 1];
            state[i] = 1_812_433_253u32
                .wrapping_mul(before ^ before >> 30)
                .wrapping_add(i as u32);
        }
        Mersenne { state, index: 624 }
    }

    fn by_array(key: &[u32]) -> Mersenne {
        let mut m = Mersenne::by_number(19_650_218);
        let s = &mut m.state;
        let (mut i, mut j) = (1, 0);
        for _ in 0..key.len().max(624) {
            s[i] = (s[i] ^ (s[i - 1] ^ s[i - 1] >> 30).wrapping_mul(1_664_525))
                .wrapping_add(key[j])
                .wrapping_add(j as u32);
            i += 1;
            j += 1;
            if i == 624 {
                s[0] = s[623];
                i = 1;
            }
            if j == key.len() {
                j = 0;
            }
        }
        for _ in 0..623 {
            s[i] = (s[i] ^ (s[i - 1] ^ s[i - 1] >> 30).wrapping_mul(1_566_083_941))
                .wrapping_sub(i as u32);
            i += 1;
            if i == 624 {
                s[0] = s[623];
                i = 1;
            }
        }
        s[0] = 0x8000_0000;
        m
    }

    fn next(&mut self) -> u32 {
        if self.index == 624 {
            for i in 0..624 {
                let y = self.state[i] & 0x8000_0000 | self.state[(i + 1) % 624] & 0x7fff_ffff;
                let odd = if y & 1 == 1 { 0x9908_b0df } else { 0 };
                self.state[i] = self.state[(i + 397) % 624] ^ y >> 1 ^ odd;
            }
            self.index = 0;
        }
        let mut y = self.state[self.index];
        self.index += 1;
        y ^= y >> 11;
        y ^= y << 7 & 0x9d2c_5680;
        y ^= y << 15 & 0xefc6_0000;
        y ^ y >> 18
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_give_what_python_gives() {
        // random.Random(seed).randrange(100)
        for (seed, drawn) in [("inventory", 48), ("localhost", 85)] {
            let mut random = Random::new(Some(&Value::str(seed))).unwrap();
            let _ = random.range(0, 100, 1).map(|n| assert_eq!(n, drawn));
        }
        let mut random = Random::new(Some(&Value::Int(42))).unwrap();
        assert_eq!(random.range(0, 100, 1).unwrap(), 81);
    }
}
