//! Shapes as SVG text. Colours and strokes are classes of the page's style sheet, so that one drawing serves
//! light, dark and paper.

use super::format::escape;

/// An SVG element that is being filled.
#[derive(Debug)]
pub(super) struct Canvas {
    body: String,
    width: f64,
    height: f64,
}

/// Which end of a text is at its position.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

impl Canvas {
    /// An empty drawing of this many units, which scale with the page.
    pub(super) fn new(width: f64, height: f64) -> Self {
        Self { body: String::new(), width, height }
    }

    /// The element. `label` is what a screen reader says of it.
    pub(super) fn finish(self, class: &str, label: &str) -> String {
        format!(
            "<svg class=\"{class}\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">{}</svg>",
            coordinate(self.width),
            coordinate(self.height),
            escape(label),
            self.body
        )
    }

    /// Adds a straight line.
    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), class: &str) {
        let [x1, y1, x2, y2] = [from.0, from.1, to.0, to.1].map(coordinate);
        self.push(&format!("<line class=\"{class}\" x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"/>"));
    }

    /// Adds a path by its commands.
    pub(super) fn path(&mut self, commands: &str, class: &str) {
        if !commands.is_empty() {
            self.push(&format!("<path class=\"{class}\" d=\"{commands}\"/>"));
        }
    }

    /// Adds a filled circle.
    pub(super) fn circle(&mut self, centre: (f64, f64), radius: f64, class: &str) {
        let [x, y, r] = [centre.0, centre.1, radius].map(coordinate);
        self.push(&format!("<circle class=\"{class}\" cx=\"{x}\" cy=\"{y}\" r=\"{r}\"/>"));
    }

    /// Adds a rectangle by its left upper corner.
    pub(super) fn rect(&mut self, corner: (f64, f64), size: (f64, f64), class: &str) {
        let [x, y, w, h] = [corner.0, corner.1, size.0.max(0.0), size.1.max(0.0)].map(coordinate);
        self.push(&format!("<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\"/>"));
    }

    /// Adds a text; it is escaped here.
    pub(super) fn text(&mut self, at: (f64, f64), anchor: Anchor, class: &str, text: &str) {
        let [x, y] = [at.0, at.1].map(coordinate);
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        self.push(&format!("<text class=\"{class}\" x=\"{x}\" y=\"{y}\"{anchor}>{}</text>", escape(text)));
    }

    /// Opens a group with a tooltip; it is escaped here. To be [closed](Canvas::close).
    pub(super) fn open(&mut self, class: &str, tooltip: &str) {
        self.push(&format!("<g class=\"{class}\">"));
        if !tooltip.is_empty() {
            self.push(&format!("<title>{}</title>", escape(tooltip)));
        }
    }

    /// Closes the last opened group.
    pub(super) fn close(&mut self) {
        self.push("</g>");
    }

    fn push(&mut self, text: &str) {
        self.body.push_str(text);
    }
}

/// A position to a tenth of a unit, which is finer than a screen shows.
pub(super) fn coordinate(value: f64) -> String {
    let rounded = (value * 10.0).round() / 10.0;
    // Adding zero turns a negative zero into a plain one.
    format!("{}", if rounded.is_finite() { rounded + 0.0 } else { 0.0 })
}

/// The commands of a polyline; an interrupted one starts anew.
pub(super) fn polyline(points: impl IntoIterator<Item = Option<(f64, f64)>>) -> String {
    let mut commands = String::new();
    let mut pen_down = false;
    for point in points {
        if let Some((x, y)) = point {
            commands.push(if pen_down { 'L' } else { 'M' });
            commands.push_str(&coordinate(x));
            commands.push(' ');
            commands.push_str(&coordinate(y));
        }
        pen_down = point.is_some();
    }
    commands
}

/// About how wide `text` is in the chart's small print.
pub(super) fn text_width(text: &str) -> f64 {
    text.chars().count() as f64 * 6.3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_cannot_leave_its_element() {
        let mut canvas = Canvas::new(10.0, 10.0);
        canvas.open("g", "</title><script>");
        canvas.text((1.0, 2.0), Anchor::End, "t", "</text><script>alert(1)</script>");
        canvas.close();
        let svg = canvas.finish("chart", "\"><script>");
        assert!(!svg.contains("<script"), "{svg}");
    }

    #[test]
    fn a_gap_interrupts_a_polyline() {
        let points = [Some((0.0, 0.0)), Some((1.0, 0.25)), None, Some((3.0, -0.01))];
        assert_eq!(polyline(points), "M0 0L1 0.3M3 0");
        assert_eq!(coordinate(f64::NAN), "0");
    }
}
