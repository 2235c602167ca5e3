/**
 * In Wagtail's editor: asks the server what publishing the form, as it stands on the screen,
 * would mean for visitors, and shows the answer. At most once in two seconds, and only when
 * something has changed.
 */
const { Controller } = /** @type {any} */ (window).StimulusModule;

class AskingController extends Controller {
  static values = { url: String };

  /** What was answered last, as it was sent. */
  sent = '';
  busy = false;
  timer = 0;

  connect() {
    // Not at once: Wagtail is still making the form.
    this.timer = setInterval(() => this.look(), 2000);
  }

  disconnect() {
    clearInterval(this.timer);
  }

  look() {
    const form = this.element.closest('form');
    if (!form || this.busy || document.hidden) return;
    const words = [...new FormData(form)].filter(([, value]) => typeof value == 'string');
    const body = `${new URLSearchParams(/** @type {[string, string][]} */ (words))}`;
    if (body == this.sent) return;
    this.busy = true;
    // It parses HTML without running anything, nor needing leave from Trusted Types.
    const request = new XMLHttpRequest();
    request.open('POST', this.urlValue);
    request.responseType = 'document';
    request.setRequestHeader('Content-Type', 'application/x-www-form-urlencoded');
    // Who has logged out, or may not, gets a refusal then, and no page to log in on.
    request.setRequestHeader('X-Requested-With', 'XMLHttpRequest');
    request.onload = () => {
      // What was refused will be refused again.
      if (request.status < 500) this.sent = body;
      if (request.status == 200) this.say(request.response.body);
    };
    // After a failure too: the next look tries again.
    request.onloadend = () => (this.busy = false);
    request.send(body);
  }

  /** A screen reader says it anew only when it is new. @param {HTMLElement} answer */
  say(answer) {
    if (answer.textContent != this.element.textContent) this.element.replaceChildren(...answer.childNodes);
  }
}

/** @type {any} */ (window).wagtail.app.register('wcc-asking', AskingController);
