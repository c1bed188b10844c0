use super::*;

type Rgb = [f64; 3];

#[test]
fn colours_are_fixed_and_never_shared_while_there_are_enough() {
    for palette in [&LIGHT, &DARK] {
        let of = |names: &[&str]| -> Vec<(u8, u8, u8)> {
            let colours = palette.of_protocols(names);
            colours.iter().map(|c| (c.0, c.1, c.2)).collect()
        };
        assert_eq!(of(&["dns", "https"]), {
            let mut turned = of(&["https", "dns"]);
            turned.reverse();
            turned
        });
        let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "other"];
        let mut colours = of(&names);
        colours.sort_unstable();
        colours.dedup();
        assert_eq!(colours.len(), names.len());
    }
}

/// How dichromats see, by Machado, Oliveira and Fernandes 2009.
const EYES: [(&str, [Rgb; 3]); 3] = [
    (
        "all cones",
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    ),
    (
        "no red cones",
        [
            [0.152_286, 1.052_583, -0.204_868],
            [0.114_503, 0.786_281, 0.099_216],
            [-0.003_882, -0.048_116, 1.051_998],
        ],
    ),
    (
        "no green cones",
        [
            [0.367_322, 0.860_646, -0.227_968],
            [0.280_085, 0.672_501, 0.047_413],
            [-0.011_820, 0.042_940, 0.968_881],
        ],
    ),
];

/// 2.3 is the least difference that can be seen side by side; these are told apart across a picture.
#[test]
fn colours_stay_apart_for_colour_blind_eyes() {
    for palette in [&LIGHT, &DARK] {
        let all = palette.colours.iter().chain([&palette.other]);
        let all: Vec<&RGBColor> = all.collect();
        for (who, matrix) in &EYES {
            for (place, a) in all.iter().enumerate() {
                for b in &all[place + 1..] {
                    let apart = distance(lab(seen(a, matrix)), lab(seen(b, matrix)));
                    assert!(apart > 14.0, "{who}: {a:?} {b:?} {apart}");
                }
            }
        }
    }
}

/// 4.5 is what WCAG asks of text, 3 of large text and shapes.
#[test]
fn text_can_be_read() {
    for palette in [&LIGHT, &DARK] {
        for behind in [&palette.paper, &palette.gap] {
            assert!(contrast(&palette.ink, behind) > 7.0);
            assert!(contrast(&palette.faint, behind) > 4.5);
        }
    }
}

fn linear(color: &RGBColor) -> Rgb {
    [color.0, color.1, color.2].map(|part| match f64::from(part) / 255.0 {
        dark if dark <= 0.040_45 => dark / 12.92,
        bright => ((bright + 0.055) / 1.055).powf(2.4),
    })
}

fn seen(color: &RGBColor, matrix: &[Rgb; 3]) -> Rgb {
    let rgb = linear(color);
    matrix.map(|row| {
        let sum: f64 = row
            .iter()
            .zip(rgb)
            .map(|(factor, part)| factor * part)
            .sum();
        sum.clamp(0.0, 1.0)
    })
}

fn luminance([r, g, b]: Rgb) -> f64 {
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

fn contrast(a: &RGBColor, b: &RGBColor) -> f64 {
    let (a, b) = (luminance(linear(a)) + 0.05, luminance(linear(b)) + 0.05);
    a.max(b) / a.min(b)
}

fn lab([r, g, b]: Rgb) -> Rgb {
    let bent = |part: f64| match part {
        small if small <= 0.008_856 => 7.787 * small + 16.0 / 116.0,
        large => large.cbrt(),
    };
    let x = bent((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.950_47);
    let y = bent(luminance([r, g, b]));
    let z = bent((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.088_83);
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

fn distance(a: Rgb, b: Rgb) -> f64 {
    let squares = a.iter().zip(b).map(|(a, b)| (a - b).powi(2));
    squares.sum::<f64>().sqrt()
}
