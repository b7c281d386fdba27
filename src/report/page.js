// Draws the charts of a page with Chart.js, from the plots that the program has put into the element "plots".
"use strict";
(() => {
  const plots = JSON.parse(document.getElementById("plots").textContent);
  const shapes = ["circle", "rect", "triangle", "rectRot", "crossRot", "cross"];
  const fontSize = 13;
  let charts = [];

  // The style sheet is the only place that knows colours: they are read from elements that carry its classes.
  const colorOf = (classes, property) => {
    const probe = document.createElementNS("http://www.w3.org/2000/svg", "path");
    probe.setAttribute("class", classes);
    document.getElementById("probe").append(probe);
    const color = getComputedStyle(probe)[property];
    probe.remove();
    return color;
  };
  const readTheme = () => ({
    ink: colorOf("ink", "fill"),
    muted: colorOf("muted", "fill"),
    paper: colorOf("paper", "fill"),
    grid: colorOf("grid", "stroke"),
    looks: shapes.map((_, look) => colorOf(`look-${look}`, "color")),
  });

  // As the program writes them.
  const number = (value, digits = 6) => {
    const magnitude = Math.abs(value);
    const plain = magnitude === 0 || (magnitude >= 1e-4 && magnitude < 1e7);
    return plain ? value.toLocaleString("en", {maximumSignificantDigits: digits})
                 : String(Number(value.toPrecision(digits))).replace("e+", "e");
  };

  // Without its middle: names differ at their ends.
  const cut = (text, length) => {
    const characters = [...text];
    if (characters.length <= length) return text;
    const head = Math.ceil((length - 1) / 2);
    const tail = length - 1 - head;
    return `${characters.slice(0, head).join("")}…${characters.slice(-tail).join("")}`;
  };

  const axis = (scale, title, theme) => {
    const labels = new Map(scale.ticks);
    return {
      type: scale.logarithmic ? "logarithmic" : "linear",
      min: scale.low,
      max: scale.high,
      title: {display: title !== "", text: title, color: theme.ink},
      grid: {color: theme.grid, borderColor: theme.grid, drawTicks: false},
      ticks: {
        color: theme.muted,
        padding: 8,
        maxRotation: 0,
        autoSkipPadding: 8,
        callback: (value) => labels.get(value),
      },
      afterBuildTicks: (built) => {
        built.ticks = scale.ticks.map(([value]) => ({value}));
      },
    };
  };

  // Text with a rim in the colour of the paper, legible on lines and grids.
  const drawText = (context, text, x, y, color, paper) => {
    context.lineWidth = 4;
    context.lineJoin = "round";
    context.strokeStyle = paper;
    context.strokeText(text, x, y);
    context.fillStyle = color;
    context.fillText(text, x, y);
  };

  const useFont = (context) => {
    context.font = `${fontSize}px ${Chart.defaults.font.family}`;
    context.textBaseline = "middle";
    context.textAlign = "left";
  };

  const overlaps = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  const contains = (a, b) => a.left <= b.left && b.right <= a.right && a.top <= b.top && b.bottom <= a.bottom;

  // Intervals and reference lines below the points; labels above everything, where nothing is in their way.
  const marks = (plot, theme) => ({
    id: "marks",
    beforeDatasetsDraw: (chart) => {
      const {ctx: context, chartArea: area, scales} = chart;
      context.save();
      context.lineWidth = 1.25;
      for (const [y] of plot.lines) {
        context.beginPath();
        context.setLineDash([1, 4]);
        context.lineCap = "round";
        context.strokeStyle = theme.muted;
        context.moveTo(area.left, scales.y.getPixelForValue(y));
        context.lineTo(area.right, scales.y.getPixelForValue(y));
        context.stroke();
      }
      context.setLineDash([]);
      for (const series of plot.series) {
        context.strokeStyle = theme.looks[series.look];
        context.globalAlpha = 0.75;
        context.beginPath();
        for (const [x, , low, high] of series.points) {
          if (low === null) continue;
          const at = scales.x.getPixelForValue(x);
          const bottom = scales.y.getPixelForValue(low);
          const top = scales.y.getPixelForValue(high);
          context.moveTo(at - 4, bottom);
          context.lineTo(at + 4, bottom);
          context.moveTo(at, bottom);
          context.lineTo(at, top);
          context.moveTo(at - 4, top);
          context.lineTo(at + 4, top);
        }
        context.stroke();
      }
      context.restore();
    },
    afterDatasetsDraw: (chart) => {
      const {ctx: context, chartArea: area, scales} = chart;
      context.save();
      useFont(context);
      const taken = [];
      for (const [y, whole] of plot.lines) {
        const label = cut(whole, 32);
        const width = context.measureText(label).width;
        const at = scales.y.getPixelForValue(y) - fontSize / 2 - 3;
        drawText(context, label, area.right - 6 - width, at, theme.muted, theme.paper);
        taken.push({left: area.right - 6 - width, right: area.right, top: at - fontSize / 2, bottom: at + fontSize});
      }
      if (plot.labelled) drawLabels(plot, theme, chart, taken);
      context.restore();
    },
  });

  const drawLabels = (plot, theme, {ctx: context, chartArea: area, scales}, taken) => {
    const place = ([x, y]) => ({x: scales.x.getPixelForValue(x), y: scales.y.getPixelForValue(y)});
    const pointsOf = (series) => series.points.map((point) => ({point, radius: 5 * series.size, onLine: series.line}));
    const points = plot.series.flatMap(pointsOf);
    for (const {point, radius} of points) {
      const {x, y} = place(point);
      taken.push({left: x - radius, right: x + radius, top: y - radius, bottom: y + radius});
    }
    for (const {point, radius, onLine} of points) {
      const label = cut(point[4], 36);
      if (label === "") continue;
      const {x, y} = place(point);
      const width = context.measureText(label).width;
      const beside = [[x + radius + 4, y], [x - radius - 4 - width, y]];
      const over = [[x - width / 2, y - radius - 10], [x - width / 2, y + radius + 10]];
      const room = (onLine ? [...over, ...beside] : [...beside, ...over])
        .map(([left, middle]) => ({left, right: left + width, top: middle - 7, bottom: middle + 7}))
        .find((box) => contains(area, box) && !taken.some((other) => overlaps(box, other)));
      if (!room) continue;
      drawText(context, label, room.left, (room.top + room.bottom) / 2, theme.ink, theme.paper);
      taken.push(room);
    }
  };

  const tooltip = (theme, label) => ({
    backgroundColor: theme.ink,
    titleColor: theme.paper,
    bodyColor: theme.paper,
    padding: 10,
    usePointStyle: true,
    callbacks: {label, title: () => ""},
  });

  const common = (theme) => ({
    animation: false,
    responsive: true,
    maintainAspectRatio: false,
    color: theme.ink,
  });

  const xyConfig = (plot, theme) => ({
    type: "scatter",
    data: {
      datasets: plot.series.map((series, index) => ({
        order: -index,  // Later ones are drawn over earlier ones, as in an SVG.
        data: series.points.map(([x, y]) => ({x, y})),
        showLine: series.line,
        borderColor: theme.looks[series.look],
        borderWidth: 2,
        borderDash: series.dashed ? series.dashes.split(" ").map(Number) : [],
        pointStyle: shapes[series.look],
        pointBorderColor: theme.looks[series.look],
        pointBackgroundColor: series.dashed ? theme.paper : theme.looks[series.look],
        pointRadius: series.size * (plot.large ? 5 : 2.5),
        pointHoverRadius: series.size * (plot.large ? 7 : 4),
        clip: 10,
      })),
    },
    options: {
      ...common(theme),
      interaction: {mode: "nearest", intersect: true},
      scales: {x: axis(plot.x, plot.x.title, theme), y: axis(plot.y, plot.y.title, theme)},
      plugins: {
        legend: {display: false},
        tooltip: tooltip(theme, (item) => {
          const series = plot.series[item.datasetIndex];
          const [x, y, low, high, label] = series.points[item.dataIndex];
          const interval = low === null ? "" : ` (${number(low)} to ${number(high)})`;
          return [label, series.legend, `${plot.x.title}: ${number(x)}`, `${plot.y.title}: ${number(y)}${interval}`]
            .filter((line) => line !== "");
        }),
      },
    },
    plugins: [marks(plot, theme)],
  });

  // The hatches of the style sheet's SVG patterns, so that parts differ without colours too.
  const hatch = (look, theme) => {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 8;
    const context = tile.getContext("2d");
    context.fillStyle = theme.looks[look];
    context.fillRect(0, 0, 8, 8);
    context.strokeStyle = theme.paper;
    context.lineWidth = 1.5;
    context.stroke(new Path2D(plots.hatches[look]));
    return context.createPattern(tile, "repeat");
  };

  const sums = (plot, theme) => ({
    id: "sums",
    afterDatasetsDraw: (chart) => {
      const {ctx: context, scales} = chart;
      context.save();
      useFont(context);
      plot.bars.forEach((_, bar) => {
        const sum = plot.values.reduce((total, part) => total + part[bar], 0);
        drawText(context, number(sum, 4), scales.x.getPixelForValue(sum) + 6, scales.y.getPixelForValue(bar), theme.ink,
                 theme.paper);
      });
      context.restore();
    },
  });

  const barConfig = (plot, theme) => ({
    type: "bar",
    data: {
      labels: plot.bars,
      datasets: plot.parts.map((part, index) => ({
        data: plot.values[index],
        backgroundColor: hatch(index % shapes.length, theme),
        borderColor: theme.looks[index % shapes.length],
        borderWidth: 1,
        maxBarThickness: 26,
      })),
    },
    options: {
      ...common(theme),
      indexAxis: "y",
      layout: {padding: {right: 60}},
      scales: {
        x: {...axis(plot.scale, plot.scale.title, theme), stacked: true},
        y: {
          stacked: true,
          grid: {display: false, borderColor: theme.grid},
          ticks: {color: theme.ink, autoSkip: false, callback: (bar) => cut(plot.bars[bar], 36)},
        },
      },
      plugins: {
        legend: {display: false},
        tooltip: tooltip(theme, (item) => [
          plot.bars[item.dataIndex],
          `${plot.parts[item.datasetIndex]}: ${number(item.raw)}`,
        ]),
      },
    },
    plugins: [sums(plot, theme)],
  });

  const draw = () => {
    for (const chart of charts) chart.destroy();
    const theme = readTheme();
    Chart.defaults.font.size = fontSize;
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    charts = plots.charts.map((plot) => {
      const config = plot.kind === "xy" ? xyConfig(plot, theme) : barConfig(plot, theme);
      const canvas = document.getElementById(plot.canvas);
      if (plot.kind === "bars") canvas.parentElement.style.height = `${70 + 42 * plot.bars.length}px`;
      return new Chart(canvas, config);
    });
  };

  // Paper is light. The canvases are drawn before the printer's style applies to them, so the dark rules are taken out.
  const darkRules = [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules])
    .filter((rule) => rule instanceof CSSMediaRule && rule.conditionText.includes("dark"))
    .map((rule) => ({rule, condition: rule.media.mediaText}));
  addEventListener("beforeprint", () => {
    for (const {rule} of darkRules) rule.media.mediaText = "not all";
    draw();
    for (const chart of charts) chart.resize();
  });
  addEventListener("afterprint", () => {
    for (const {rule, condition} of darkRules) rule.media.mediaText = condition;
    draw();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  draw();
})();
