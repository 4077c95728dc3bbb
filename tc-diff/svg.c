#include "svg.h"

#include "markup.h"

#include <math.h>
#include <string.h>

#define LABEL_WIDTH 48 /* of a number below an axis, with room beside it */

/* --- numbers --- */

static const char *
scaled(double *v, double base, const char *const *names, int n)
{
	int i = 0;

	for (; i + 1 < n && fabs(*v) >= base * (1 - 1e-9); i++)
		*v /= base;
	return names[i];
}

void
svg_number(char *to, size_t n, enum svg_unit unit, double v)
{
	static const char *const si[] = {"", "k", "M", "G", "T", "P"}, *const ns[] = {"ns", "µs", "ms", "s"};

	if (unit == SVG_TIME && v >= 3600e9)
		snprintf(to, n, "%.3g h", v / 3600e9);
	else if (unit == SVG_TIME) {
		const char *name = scaled(&v, 1000, ns, 4);
		snprintf(to, n, v < 1000 ? "%.3g %s" : "%.0f %s", v, name);
	} else if (unit == SVG_SHARE)
		snprintf(to, n, "%.3g %%", 100 * v);
	else {
		const char *name = v < 1 ? "" : scaled(&v, 1000, si, 6);
		snprintf(to, n, "%.3g%s%s", v, name, unit == SVG_TIMES ? "×" : "");
	}
}

/* --- marks --- */

void
svg_begin(FILE *f, const char *title, int height)
{
	fputs("<figure><figcaption>", f);
	markup_text(f, title);
	fprintf(f, "</figcaption>\n<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"",
		SVG_WIDTH, height);
	markup_text(f, title);
	fputs("\">\n", f);
}

void
svg_end(FILE *f, const char *note)
{
	fputs("</svg>\n", f);
	if (note && *note) {
		fputs("<p class=\"dim\">", f);
		markup_text(f, note);
		fputs("</p>\n", f);
	}
	fputs("</figure>\n", f);
}

void
svg_text(FILE *f, double x, double y, char anchor, const char *class, const char *text)
{
	fprintf(f, "<text x=\"%.5g\" y=\"%.5g\" class=\"%c %s\">", x, y, anchor, class);
	markup_text(f, text);
	fputs("</text>\n", f);
}

void
svg_line(FILE *f, const char *class, double x1, double y1, double x2, double y2)
{
	fprintf(f, "<path class=\"%s\" d=\"M%.5g %.5gL%.5g %.5g\"/>\n", class, x1, y1, x2, y2);
}

void
svg_rect(FILE *f, const char *class, double x, double y, double w, double h, double opacity)
{
	fprintf(f, "<rect class=\"%s\" x=\"%.5g\" y=\"%.5g\" width=\"%.5g\" height=\"%.5g\"", class, x, y, fmax(w, 0), h);
	if (opacity < 1)
		fprintf(f, " fill-opacity=\"%.2g\"", opacity);
	fputs("/>\n", f);
}

void
svg_legend(FILE *f, bool bars)
{
	for (int i = 0; i < 2; i++) {
		double x = SVG_WIDTH - 110 + i * 58;
		if (bars)
			svg_rect(f, i ? "b bar" : "a", x, 3, 30, 10, 1);
		else
			svg_line(f, i ? "curve b" : "curve a", x, 8, x + 30, 8);
		svg_text(f, x + 34, 12, 's', "", i ? "B" : "A");
	}
}

/* --- axes --- */

void
axis_log(struct axis *a, double low, double high)
{
	a->log = true;
	a->low = pow(10, floor(log10(low) + 1e-9));
	a->high = pow(10, ceil(log10(high) - 1e-9));
	if (a->high <= a->low)
		a->high = 10 * a->low;
}

void
axis_linear(struct axis *a, double high)
{
	a->log = false;
	a->low = 0;
	a->high = high > 0 ? high : 1;
}

double
axis_at(const struct axis *a, double v)
{
	double share = a->log ? (v <= a->low ? 0 : log(v / a->low) / log(a->high / a->low)) : (v - a->low) / (a->high - a->low);

	return a->from + (a->to - a->from) * fmin(fmax(share, 0), 1);
}

/* Between ticks: 1, 2 or 5 times a power of ten; of times from a minute on, what divides minutes and hours. */
static double
linear_step(const struct axis *a, double room)
{
	static const double clock[] = {60e9, 120e9, 300e9, 600e9, 1800e9, 3600e9, 7200e9, 18000e9, 36000e9};
	double least = (a->high - a->low) * room / fabs(a->to - a->from), step = pow(10, floor(log10(least)));

	for (size_t i = 0; a->unit == SVG_TIME && least > 20e9 && i < sizeof clock / sizeof *clock; i++)
		if (clock[i] >= least)
			return clock[i];
	step *= least <= step ? 1 : least <= 2 * step ? 2 : least <= 5 * step ? 5 : 10;
	return a->unit == SVG_COUNT && step < 1 ? 1 : step;
}

/* The tick after v, or the first one; beyond the axis where there is none. */
static double
tick_after(const struct axis *a, double v, double room, bool first)
{
	if (!a->log)
		return first ? a->low : v + linear_step(a, room);
	int decades = lround(log10(a->high / a->low)), step = 1;
	double each = fabs(a->to - a->from) / decades;

	/* Steps of three decades lead from unit to unit. */
	while (each * step < room)
		step += step < 3 ? 1 : 3;
	int from = lround(log10(a->low)), at = first ? from : lround(log10(v)) + 1;
	while (at % step)
		at++;
	return pow(10, at);
}

static void
tick_text(char *to, size_t n, const struct axis *a, double v)
{
	if (a->unit == SVG_TIME && !a->log && a->high > 20 * 60e9)
		snprintf(to, n, a->high < 3 * 3600e9 ? "%.0f min" : "%.3g h", v / (a->high < 3 * 3600e9 ? 60e9 : 3600e9));
	else if (a->unit == SVG_TIME && !a->log && a->high > 1e9)
		snprintf(to, n, "%.3g s", v / 1e9);
	else
		svg_number(to, n, a->unit, v);
}

void
axis_across(FILE *f, const struct axis *x, const struct axis *y, const char *title)
{
	char text[32];

	for (double v = tick_after(x, 0, LABEL_WIDTH, true); v <= x->high * (1 + 1e-9); v = tick_after(x, v, LABEL_WIDTH, false)) {
		double at = axis_at(x, v);
		svg_line(f, "grid", at, y->from + 4, at, y->to);
		tick_text(text, sizeof text, x, v);
		/* The outermost ones stay within the plot. */
		double half = strlen(text) * 4;
		svg_text(f, fmin(fmax(at, half), SVG_WIDTH - half), y->from + 17, 'm', "", text);
	}
	svg_line(f, "axis", x->from, y->from, x->to, y->from);
	svg_text(f, (x->from + x->to) / 2, y->from + 34, 'm', "dim", title);
}

void
axis_up(FILE *f, const struct axis *x, const struct axis *y)
{
	char text[32];

	for (double v = tick_after(y, 0, 26, true); v <= y->high * (1 + 1e-9); v = tick_after(y, v, 26, false)) {
		double at = axis_at(y, v);
		svg_line(f, "grid", x->from, at, x->to, at);
		tick_text(text, sizeof text, y, v);
		svg_text(f, x->from - 5, at + 4, 'e', "", text);
	}
	svg_line(f, "axis", x->from, y->from, x->from, y->to);
}

/* --- curves --- */

void
svg_steps(FILE *f, const char *class, const struct axis *ax, const struct axis *ay, const double *x, const double *y, int n)
{
	if (!n)
		return;
	fprintf(f, "<path class=\"curve %s\" d=\"M%.4g %.4g", class, axis_at(ax, x[0]), axis_at(ay, y[0]));
	for (int i = 1; i < n; i++)
		fprintf(f, "H%.4gV%.4g", axis_at(ax, x[i]), axis_at(ay, y[i]));
	fprintf(f, "H%.4g\"/>\n", axis_at(ax, x[n]));
}
