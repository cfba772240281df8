//! Ansible's colours by name, as its `COLOR_*` settings use them.

use crate::config::{Color, Config};

/// The part of an escape sequence that stands for a colour, such as `0;32`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Colour(String);

const NAMES: &[(&str, &str)] = &[
    ("black", "0;30"),
    ("bright gray", "0;37"),
    ("blue", "0;34"),
    ("white", "1;37"),
    ("green", "0;32"),
    ("bright blue", "1;34"),
    ("cyan", "0;36"),
    ("bright green", "1;32"),
    ("red", "0;31"),
    ("bright cyan", "1;36"),
    ("purple", "0;35"),
    ("bright red", "1;31"),
    ("yellow", "0;33"),
    ("bright purple", "1;35"),
    ("dark gray", "1;30"),
    ("bright yellow", "1;33"),
    ("magenta", "0;35"),
    ("bright magenta", "1;35"),
    ("normal", "0"),
];

impl Colour {
    /// A colour by its name in ansible.cfg: one of the names, `colorN`, `rgbRGB` or `grayN`.
    pub fn named(name: &str) -> Option<Colour> {
        if let Some((_, code)) = NAMES.iter().find(|(n, _)| *n == name) {
            return Some(Colour((*code).to_string()));
        }
        if let Some(n) = name.strip_prefix("color") {
            return Some(Colour(format!("38;5;{}", n.parse::<u8>().ok()?)));
        }
        if let Some(rgb) = name.strip_prefix("rgb") {
            let digits: Vec<u32> = rgb.chars().filter_map(|c| c.to_digit(6)).collect();
            let [r, g, b] = digits[..] else { return None };
            return Some(Colour(format!("38;5;{}", 16 + 36 * r + 6 * g + b)));
        }
        let n: u8 = name.strip_prefix("gray")?.parse().ok()?;
        (n < 24).then(|| Colour(format!("38;5;{}", 232 + u32::from(n))))
    }

    /// Each line of the text between this colour's sequence and a reset.
    pub fn paint(&self, text: &str) -> String {
        let lines: Vec<String> = text
            .split('\n')
            .map(|line| format!("\x1b[{}m{line}\x1b[0m", self.0))
            .collect();
        lines.join("\n")
    }
}

/// Which colour is used for what: the `COLOR_*` settings.
#[derive(Clone, Debug)]
pub struct Palette {
    pub ok: Colour,
    pub changed: Colour,
    pub skip: Colour,
    pub unreachable: Colour,
    pub error: Colour,
    pub warn: Colour,
    pub deprecate: Colour,
    pub debug: Colour,
    pub verbose: Colour,
    pub highlight: Colour,
    pub included: Colour,
    pub diff_add: Colour,
    pub diff_remove: Colour,
    pub diff_lines: Colour,
}

impl Palette {
    /// The colours that the configuration names.
    pub fn new(config: &Config) -> Palette {
        let default = Palette::default();
        let pick = |setting: &Color, default: Colour| Colour::named(&setting.0).unwrap_or(default);
        Palette {
            ok: pick(&config.color_ok, default.ok),
            changed: pick(&config.color_changed, default.changed),
            skip: pick(&config.color_skip, default.skip),
            unreachable: pick(&config.color_unreachable, default.unreachable),
            error: pick(&config.color_error, default.error),
            warn: pick(&config.color_warn, default.warn),
            deprecate: pick(&config.color_deprecate, default.deprecate),
            debug: pick(&config.color_debug, default.debug),
            verbose: pick(&config.color_verbose, default.verbose),
            highlight: pick(&config.color_highlight, default.highlight),
            included: pick(&config.color_included, default.included),
            diff_add: pick(&config.color_diff_add, default.diff_add),
            diff_remove: pick(&config.color_diff_remove, default.diff_remove),
            diff_lines: pick(&config.color_diff_lines, default.diff_lines),
        }
    }
}

impl Default for Palette {
    fn default() -> Palette {
        let code = |code: &str| Colour(code.to_string());
        Palette {
            ok: code("0;32"),
            changed: code("0;33"),
            skip: code("0;36"),
            unreachable: code("1;31"),
            error: code("0;31"),
            warn: code("1;35"),
            deprecate: code("0;35"),
            debug: code("1;30"),
            verbose: code("0;34"),
            highlight: code("1;37"),
            included: code("0;36"),
            diff_add: code("0;32"),
            diff_remove: code("0;31"),
            diff_lines: code("0;36"),
        }
    }
}

/// What the environment says of colours: `ANSIBLE_FORCE_COLOR`, `ANSIBLE_NOCOLOR`, `NO_COLOR`.
pub fn wanted_by_environment() -> Option<bool> {
    let is_on = |name: &str| {
        std::env::var(name).is_ok_and(|v| {
            matches!(
                v.to_lowercase().as_str(),
                "1" | "1.0" | "y" | "yes" | "on" | "t" | "true"
            )
        })
    };
    if is_on("ANSIBLE_FORCE_COLOR") {
        Some(true)
    } else if is_on("ANSIBLE_NOCOLOR")
        || std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty())
    {
        Some(false)
    } else {
        None
    }
}
