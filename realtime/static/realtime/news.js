// Says that something has changed among the runs of a workspace; what, the page asks for.

const PAUSES = [500, 1000, 2000, 5000, 10_000]; // milliseconds, with up to half of it more by chance
const RENEW_BEFORE = 180_000; // milliseconds before the ticket ends
const SILENCE = 45_000; // milliseconds without a frame: two pings are missing
const FOR_GOOD = new Set([4401, 4403, 4404]);

/**
 * @param {{path: string, token: string, expires_at: string}} socket
 * @param {() => void} tell called after each change, also after a loss in which some may have been missed
 * @param {(state: "open"|"retrying"|"refused") => void} connection
 */
export function followWorkspace({ path, token, expires_at }, tell, connection) {
  let tries = 0;
  let ticket = token;
  const timers = new Map();
  const after = (name, milliseconds, act) => {
    clearTimeout(timers.get(name));
    timers.set(name, setTimeout(act, milliseconds));
  };

  function connect() {
    const address = new URL(path, location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(address, ["flowmaestro", ticket]);
    const renewAt = (moment) => {
      const say = () => socket.readyState === WebSocket.OPEN && socket.send(JSON.stringify({ type: "renew", token: ticket }));
      after("renew", Math.max(0, Date.parse(moment) - Date.now() - RENEW_BEFORE), say);
    };
    socket.onmessage = ({ data }) => {
      after("silence", SILENCE, () => socket.close());
      const frame = JSON.parse(data);
      if (frame.type === "ping") socket.send(JSON.stringify({ type: "pong" }));
      else if (frame.type === "token") renewAt((({ token: ticket, expires_at } = frame), expires_at));
      else {
        if (tries !== 0 || !timers.has("renew")) renewAt(expires_at);
        tries = 0;
        connection("open");
        tell();
      }
    };
    socket.onclose = ({ code }) => {
      clearTimeout(timers.get("silence"));
      clearTimeout(timers.get("renew"));
      timers.delete("renew");
      if (FOR_GOOD.has(code)) return connection("refused");
      connection("retrying");
      after("again", PAUSES[Math.min(tries, PAUSES.length - 1)] * (1 + Math.random() / 2), connect);
      tries += 1;
    };
  }
  connect();
}
