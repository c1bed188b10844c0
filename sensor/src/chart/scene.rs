//! What a chart consists of, before it is pixels or SVG: both show the same shapes, and tests can ask where text lies.

use plotters::style::RGBColor;

use super::font;

/// A drawing in logical pixels, in the order of drawing.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scene {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) paper: RGBColor,
    /// For those who can't see it.
    pub(super) title: String,
    pub(super) shapes: Vec<Shape>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    Path(Path),
    Circle(Circle),
    Text(Text),
}

pub(super) type Point = (f32, f32);

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Path {
    pub(super) points: Vec<Point>,
    pub(super) pen: Pen,
    pub(super) color: Rgba,
}

/// How the points are joined up: areas are closed, lines are open.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Pen {
    Fill,
    /// Width of the line.
    Stroke(f32),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Circle {
    pub(super) center: Point,
    pub(super) radius: f32,
    pub(super) color: Rgba,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rgba {
    pub(super) rgb: (u8, u8, u8),
    /// 0 to 1.
    pub(super) alpha: f32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Text {
    /// The anchor, on the baseline.
    pub(super) at: Point,
    pub(super) anchor: Anchor,
    pub(super) em: f32,
    pub(super) bold: bool,
    pub(super) color: Rgba,
    pub(super) text: String,
}

impl Text {
    /// Where the first letter begins.
    pub(super) fn left(&self) -> f32 {
        let width = font::width(&self.text, self.bold) * self.em;
        match self.anchor {
            Anchor::Start => self.at.0,
            Anchor::Middle => self.at.0 - width / 2.0,
            Anchor::End => self.at.0 - width,
        }
    }
}

impl Scene {
    /// Title and subtitle, which are drawn first.
    pub(super) fn said(&self) -> String {
        let texts = self.shapes.iter().map_while(|shape| match shape {
            Shape::Text(text) => Some(text.text.as_str()),
            _ => None,
        });
        texts.take(2).collect::<Vec<_>>().join(": ")
    }
}
