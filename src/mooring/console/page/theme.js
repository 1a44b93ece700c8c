// Light or dark: as the system says, or as the viewer chose here.

const choices = ["auto", "light", "dark"];
const remembered = "mooring.theme";

export function startTheme(button) {
  let choice = recall();
  const show = () => {
    document.documentElement.dataset.theme = choice;
    button.textContent = { auto: "◐ Auto", light: "○ Light", dark: "● Dark" }[choice];
    button.setAttribute("aria-label", `Colours: ${choice}. Change`);
  };
  button.onclick = () => {
    choice = choices[(choices.indexOf(choice) + 1) % choices.length];
    try { localStorage.setItem(remembered, choice); } catch { /* it holds until the page is left */ }
    show();
  };
  show();
}

function recall() {
  try {
    const choice = localStorage.getItem(remembered);
    return choices.includes(choice) ? choice : "auto";
  } catch {
    return "auto";
  }
}
