// The pictures: drawn one by one, in the page's colours, for a wide or a narrow screen, and in light for paper.
"use strict";
(() => {
  const root = document.documentElement;
  const chinese = root.lang.startsWith("zh");
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const templates = read("templates-data");
  const plots = [...document.querySelectorAll(".plot")];
  const PAPER_PX = 640; // A4 without margins and frames
  const PRINTED_PX = 900; // width that a wide picture is drawn at for paper, where it is then made smaller
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const screenTheme = () => root.dataset.theme ?? (dark.matches ? "dark" : "light");

  if (chinese) {
    Plotly.register({
      moduleType: "locale",
      name: "zh-CN",
      dictionary: {
        "Autoscale": "自动缩放",
        "Box Select": "框选",
        "Compare data on hover": "悬停时对比数据",
        "Double-click to zoom back out": "双击还原",
        "Download plot as a PNG": "下载为图片",
        "Download plot as a png": "下载为图片",
        "Double-click on legend to isolate one trace": "双击图例只看一项",
        "Lasso Select": "套索选择",
        "Pan": "平移",
        "Reset": "还原",
        "Reset axes": "还原坐标轴",
        "Show closest data on hover": "悬停时显示最近的数据",
        "Snapshot succeeded": "图片已生成",
        "Sorry, there was a problem downloading your snapshot!": "图片下载失败",
        "Taking snapshot - this may take a few seconds": "正在生成图片",
        "Toggle Spike Lines": "显示或隐藏参考线",
        "Zoom": "缩放",
        "Zoom in": "放大",
        "Zoom out": "缩小",
      },
      format: {
        days: ["星期日", "星期一", "星期二", "星期三", "星期四", "星期五", "星期六"],
        shortDays: ["周日", "周一", "周二", "周三", "周四", "周五", "周六"],
        months: ["一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二"].map((one) => `${one}月`),
        shortMonths: [...Array(12).keys()].map((month) => `${month + 1}月`),
        date: "%Y-%m-%d",
      },
    });
  }
  const config = {
    displaylogo: false,
    locale: chinese ? "zh-CN" : "en",
    modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
    toImageButtonOptions: { scale: 2 },
  };

  const draw = async (plot) => {
    const figure = provgridAdapted(read(plot.dataset.figure), plot.clientWidth);
    plot.style.height = `${figure.layout.height}px`;
    plot.dataset.width = plot.clientWidth;
    await Plotly.newPlot(plot, figure.data, { ...figure.layout, template: templates[screenTheme()] }, config);
    plot.dataset.drawn = "true";
  };

  const drawAll = async () => {
    for (const plot of plots) {
      try {
        await draw(plot);
      } catch (error) {
        console.error(`the picture ${plot.id} cannot be drawn`, error);
      }
      await new Promise((next) => requestAnimationFrame(next));
    }
    root.dataset.pictures = "drawn";
  };

  // Drawn anew: of a Sankey diagram that is laid out again, the bands are still under way when the paper is.
  const again = (plot, theme, changes) => {
    const { width, ...layout } = plot.layout;
    Plotly.newPlot(plot, plot.data, { ...layout, template: templates[theme], ...changes }, config);
  };
  const drawnOnes = () => plots.filter((plot) => plot.dataset.drawn);

  document.addEventListener("theme", () => {
    for (const plot of drawnOnes()) Plotly.relayout(plot, { template: templates[screenTheme()] });
  });
  window.addEventListener("beforeprint", () => {
    for (const plot of drawnOnes()) {
      const width = Number(plot.dataset.width) < PAPER_PX ? PAPER_PX : PRINTED_PX;
      again(plot, "light", { width });
      plot.style.zoom = PAPER_PX / width;
    }
  });
  window.addEventListener("afterprint", () => {
    for (const plot of drawnOnes()) {
      plot.style.zoom = "";
      again(plot, screenTheme(), { autosize: true });
    }
  });
  let waiting = 0;
  window.addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      const changed = plots.filter((plot) => plot.dataset.drawn && plot.dataset.width !== String(plot.clientWidth));
      changed.reduce((done, plot) => done.then(() => draw(plot)), Promise.resolve());
    }, 200);
  });
  drawAll();
})();
