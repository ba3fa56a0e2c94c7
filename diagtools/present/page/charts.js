// Draws each chart in place of its picture. `ast` has expressions interpreted, not compiled: the page forbids eval.
(() => {
  const options = {
    mode: "vega-lite", ast: true, renderer: "svg", defaultStyle: true,
    actions: { export: true, source: false, compiled: false, editor: false },
  };
  for (const figure of document.querySelectorAll("figure.chart")) {
    const spec = JSON.parse(figure.querySelector("script").textContent);
    const drawing = document.createElement("div");
    drawing.className = "drawing";
    figure.append(drawing);
    vegaEmbed(drawing, spec, options).then(
      () => figure.classList.add("drawn"),
      (error) => { drawing.remove(); console.warn(error); },
    );
  }
})();
