//! A scene as SVG. Text stays text, which can be selected and found; whatever it says, it is never markup.

use std::fmt::Write;

use super::scene::{Anchor, Circle, Path, Pen, Point, Rgba, Scene, Shape, Text};

/// DejaVu is what widths are measured with; Verdana has the same, and no common font is wider.
const FONTS: &str = "DejaVu Sans, Verdana, Geneva, sans-serif";

pub(super) fn encode(scene: &Scene) -> String {
    let Scene { width, height, .. } = scene;
    let title = escaped(&scene.title);
    let paper = hex((scene.paper.0, scene.paper.1, scene.paper.2));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\" font-family=\"{FONTS}\" xml:space=\"preserve\">\n<title>{title}</title>\n<path fill=\"{paper}\" \
         d=\"M0 0H{width}V{height}H0Z\"/>\n"
    );
    let mut shapes = scene.shapes.as_slice();
    while let Some((first, rest)) = shapes.split_first() {
        let alike = rest.iter().take_while(|next| can_join(first, next)).count();
        let (together, others) = shapes.split_at(1 + alike);
        match first {
            Shape::Path(path) => add_paths(&mut svg, path, together),
            Shape::Circle(circle) => add_circle(&mut svg, circle),
            Shape::Text(text) => add_text(&mut svg, text),
        }
        shapes = others;
    }
    svg.push_str("</svg>\n");
    svg
}

/// Lines of one kind are one element. Not what shines through: it would no longer do so twice.
fn can_join(a: &Shape, b: &Shape) -> bool {
    match (a, b) {
        (Shape::Path(a), Shape::Path(b)) => {
            let opaque = a.color.alpha >= 1.0;
            opaque && a.pen != Pen::Fill && (a.pen, a.color) == (b.pen, b.color)
        }
        _ => false,
    }
}

fn add_paths(svg: &mut String, first: &Path, all: &[Shape]) {
    let color = hex(first.color.rgb);
    let opacity = opacity(first.color);
    let style = match first.pen {
        Pen::Fill => format!("fill=\"{color}\"{}", named("fill-opacity", &opacity)),
        Pen::Stroke(width) => format!(
            "fill=\"none\" stroke=\"{color}\" stroke-width=\"{}\" stroke-linejoin=\"round\"{}",
            number(width),
            named("stroke-opacity", &opacity)
        ),
    };
    let mut data = String::new();
    for shape in all {
        if let Shape::Path(path) = shape {
            add_points(&mut data, &path.points);
            if path.pen == Pen::Fill {
                data.push('Z');
            }
        }
    }
    line(svg, format_args!("<path {style} d=\"{data}\"/>"));
}

/// Steps, of which most lines here consist, need one number each.
fn add_points(data: &mut String, points: &[Point]) {
    let mut last: Option<(String, String)> = None;
    for (x, y) in points {
        let (x, y) = (number(*x), number(*y));
        match &last {
            None => add(data, format_args!("M{x} {y}")),
            Some(before) if *before == (x.clone(), y.clone()) => {}
            Some((_, same)) if *same == y => add(data, format_args!("H{x}")),
            Some((same, _)) if *same == x => add(data, format_args!("V{y}")),
            Some(_) => add(data, format_args!("L{x} {y}")),
        }
        last = Some((x, y));
    }
}

fn add_circle(svg: &mut String, circle: &Circle) {
    let (x, y, radius) = (
        number(circle.center.0),
        number(circle.center.1),
        number(circle.radius),
    );
    let color = hex(circle.color.rgb);
    let opacity = named("fill-opacity", &opacity(circle.color));
    line(
        svg,
        format_args!("<circle fill=\"{color}\"{opacity} cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"/>"),
    );
}

fn add_text(svg: &mut String, text: &Text) {
    let anchor = match text.anchor {
        Anchor::Start => "",
        Anchor::Middle => " text-anchor=\"middle\"",
        Anchor::End => " text-anchor=\"end\"",
    };
    let weight = if text.bold {
        " font-weight=\"bold\""
    } else {
        ""
    };
    let (x, y, em) = (number(text.at.0), number(text.at.1), number(text.em));
    let (color, content) = (hex(text.color.rgb), escaped(&text.text));
    line(
        svg,
        format_args!(
            "<text x=\"{x}\" y=\"{y}\" font-size=\"{em}\" fill=\"{color}\"{weight}{anchor}>{content}</text>"
        ),
    );
}

fn line(svg: &mut String, element: std::fmt::Arguments<'_>) {
    add(svg, element);
    svg.push('\n');
}

fn add(text: &mut String, more: std::fmt::Arguments<'_>) {
    // Writing to a String can't fail.
    let _ = text.write_fmt(more);
}

/// An attribute, with a blank before it, or nothing where there is no value.
fn named(attribute: &str, value: &str) -> String {
    match value {
        "" => String::new(),
        value => format!(" {attribute}=\"{value}\""),
    }
}

fn opacity(color: Rgba) -> String {
    match color.alpha {
        alpha if alpha >= 1.0 => String::new(),
        alpha => number(alpha),
    }
}

fn hex((r, g, b): (u8, u8, u8)) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// At most two digits behind the point, and no more than are needed.
fn number(value: f32) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    match text {
        "-0" => "0".to_owned(),
        text => text.to_owned(),
    }
}

/// Characters that XML gives a meaning to, or does not allow at all.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            c if c.is_control() => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let pairs = [
            (1.0, "1"),
            (1.5, "1.5"),
            (0.126, "0.13"),
            (-0.001, "0"),
            (100.0, "100"),
        ];
        for (value, text) in pairs {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn steps_are_written_as_steps() {
        let mut data = String::new();
        add_points(
            &mut data,
            &[(1.0, 2.0), (5.0, 2.0), (5.0, 2.0), (5.0, 9.5), (6.0, 0.0)],
        );
        assert_eq!(data, "M1 2H5V9.5L6 0");
    }

    #[test]
    fn nothing_is_markup() {
        assert_eq!(
            escaped("a<b>&\"'\u{0}\u{ffff}"),
            "a&lt;b&gt;&amp;&quot;&#39;\u{fffd}\u{fffd}"
        );
    }
}
