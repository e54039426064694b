//! Memory sizes and fractions as Flink reads and multiplies them.

/// A memory size in bytes: as Flink writes it (`512m`, `1 gb`, `1024` bytes; `MemorySize.parse`), or as Kubernetes does
/// (`2Gi`), which upstream's operator accepts for `resource.memory` as well.
pub(super) fn parse_bytes(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    let digits = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let shift = match unit.trim() {
        "" | "b" | "bytes" => 0,
        "k" | "kb" | "ki" | "kibibytes" => 10,
        "m" | "mb" | "mi" | "mebibytes" => 20,
        "g" | "gb" | "gi" | "gibibytes" => 30,
        "t" | "tb" | "ti" | "tebibytes" => 40,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(1 << shift)
}

/// A fraction in [0, 1). Flink keeps fractions as `float`, which shows in the last bytes of a product.
pub(super) fn parse_fraction(text: &str) -> Option<f32> {
    text.trim()
        .parse::<f32>()
        .ok()
        .filter(|fraction| (0.0..1.0).contains(fraction))
}

/// `bytes * fraction`, cut off to whole bytes. Flink multiplies with `BigDecimal`, so this is done on the decimal digits
/// of the fraction and not in floating point.
pub(super) fn fraction_of(bytes: u64, fraction: f64) -> u64 {
    let digits = format!("{fraction}");
    let (whole, decimals) = digits.split_once('.').unwrap_or((&digits, ""));
    // 20 decimals are more than a 64-bit fraction has, and keep the product within 128 bits.
    let decimals = decimals.get(..20).unwrap_or(decimals);
    let scale = 10_u128.pow(u32::try_from(decimals.len()).unwrap_or(0));
    let scaled = format!("{whole}{decimals}").parse::<u128>().unwrap_or(0);
    u64::try_from(u128::from(bytes).saturating_mul(scaled) / scale).unwrap_or(u64::MAX)
}

/// A size for people: `420m`, or bytes where it is no whole number of mebibytes.
pub(super) fn human(bytes: u64) -> String {
    const MEBIBYTE: u64 = 1 << 20;
    if bytes.is_multiple_of(MEBIBYTE) {
        format!("{}m", bytes / MEBIBYTE)
    } else {
        format!("{}.{:02}m", bytes / MEBIBYTE, bytes % MEBIBYTE * 100 / MEBIBYTE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_flink_and_kubernetes_write_them() {
        assert_eq!(parse_bytes("420m"), Some(420 << 20));
        assert_eq!(parse_bytes(" 1 GB "), Some(1 << 30));
        assert_eq!(parse_bytes("2Gi"), Some(2 << 30));
        assert_eq!(parse_bytes("1024"), Some(1024));
        assert_eq!(parse_bytes("8kb"), Some(8192));
        assert_eq!(parse_bytes("much"), None);
        assert_eq!(parse_bytes("1.5g"), None);
        assert_eq!(parse_bytes("99999999999999999999"), None);
    }

    #[test]
    fn a_fraction_is_flinks_float_and_is_cut_off() {
        // 0.1f is 0.10000000149011612.
        assert_eq!(fraction_of(2_000_000_000, f64::from(0.1_f32)), 200_000_002);
        assert_eq!(fraction_of(1 << 30, f64::from(0.4_f32)), 429_496_736);
        assert_eq!(fraction_of(7, 0.0), 0);
    }
}
