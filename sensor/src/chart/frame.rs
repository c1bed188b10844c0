//! What all charts share: their size, title, and text.

use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::element::{PathElement, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontStyle, IntoFont, RGBColor, TextStyle};

use super::canvas::{Canvas, UNITS};
use super::font;
use super::palette::{FAINT, INK, PAPER};
use crate::report::Report;
use crate::units;

/// Logical pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) width: u32,
    pub(super) height: u32,
}

pub(super) type Area<'a> = DrawingArea<Canvas<'a>, Shift>;
pub(super) type Drawn = Result<(), DrawingAreaErrorKind<std::convert::Infallible>>;

pub(super) const MARGIN: i32 = 24;
/// Below title and subtitle.
pub(super) const TOP: i32 = 84;

/// A picture to draw on, in logical pixels.
pub(super) struct Frame<'a> {
    pub(super) area: Area<'a>,
}

#[derive(Clone, Copy)]
pub(super) struct Label {
    pub(super) size: f64,
    pub(super) color: RGBColor,
    pub(super) bold: bool,
    pub(super) align: HPos,
}

pub(super) const LABEL: Label = Label {
    size: 15.0,
    color: INK,
    bold: false,
    align: HPos::Left,
};

impl Label {
    pub(super) const fn aligned(mut self, align: HPos) -> Self {
        self.align = align;
        self
    }

    pub(super) const fn faint(mut self) -> Self {
        self.color = FAINT;
        self
    }

    pub(super) const fn bold(mut self) -> Self {
        self.bold = true;
        self
    }

    pub(super) const fn sized(mut self, size: f64) -> Self {
        self.size = size;
        self
    }

    /// In logical pixels.
    pub(super) fn width(&self, text: &str) -> i32 {
        (f64::from(font::width(text, self.bold)) * self.size / 1.24).ceil() as i32
    }

    pub(super) fn style(&self, vertical: VPos) -> TextStyle<'static> {
        let style = if self.bold {
            FontStyle::Bold
        } else {
            FontStyle::Normal
        };
        ("sans-serif", self.size * f64::from(UNITS))
            .into_font()
            .style(style)
            .color(&self.color)
            .pos(Pos::new(self.align, vertical))
    }
}

impl<'a> Frame<'a> {
    pub(super) fn new(canvas: Canvas<'a>) -> Self {
        Frame {
            area: canvas.into_drawing_area(),
        }
    }

    pub(super) fn size(&self) -> (i32, i32) {
        let (width, height) = self.area.dim_in_pixel();
        (width as i32 / UNITS, height as i32 / UNITS)
    }

    pub(super) fn title(&self, title: &str, subtitle: &str) -> Drawn {
        self.text((MARGIN, 34), title, &LABEL.sized(23.0).bold())?;
        self.text((MARGIN, 60), subtitle, &LABEL.faint())
    }

    /// Vertically centred at `y`.
    pub(super) fn text(&self, (x, y): (i32, i32), text: &str, label: &Label) -> Drawn {
        let at = (x * UNITS, y * UNITS);
        self.area
            .draw(&Text::new(text.to_owned(), at, label.style(VPos::Center)))
    }

    /// Lets what was drawn there shine through a little.
    pub(super) fn veil(&self, from: (i32, i32), to: (i32, i32)) -> Drawn {
        let scaled = |(x, y)| (x * UNITS, y * UNITS);
        let corners = [scaled(from), scaled(to)];
        self.area
            .draw(&Rectangle::new(corners, PAPER.mix(0.8).filled()))
    }

    pub(super) fn rect(&self, from: (i32, i32), to: (i32, i32), color: RGBColor) -> Drawn {
        let scaled = |(x, y)| (x * UNITS, y * UNITS);
        let corners = [scaled(from), scaled(to)];
        self.area.draw(&Rectangle::new(corners, color.filled()))
    }

    pub(super) fn line(&self, from: (i32, i32), to: (i32, i32), color: RGBColor) -> Drawn {
        let points = vec![
            (from.0 * UNITS, from.1 * UNITS),
            (to.0 * UNITS, to.1 * UNITS),
        ];
        let style = color.stroke_width(UNITS as u32);
        self.area.draw(&PathElement::new(points, style))
    }

    /// What is drawn where there is nothing to draw.
    pub(super) fn nothing(&self, title: &str, why: &str) -> Drawn {
        self.title(title, "")?;
        let (width, height) = self.size();
        let label = LABEL.sized(20.0).faint().aligned(HPos::Center);
        self.text((width / 2, height / 2), why, &label)
    }
}

/// Time and amount, under every title.
pub(super) fn subtitle(report: &Report) -> String {
    let amount = format!(
        "{} in {}",
        units::bytes(report.totals.bytes),
        units::packets(report.totals.packets)
    );
    let (Some(start), Some(end)) = (report.start, report.end) else {
        return amount;
    };
    format!(
        "{} – {} UTC · {amount}",
        start.strftime("%Y-%m-%d %H:%M:%S"),
        report.clock(end)
    )
}
