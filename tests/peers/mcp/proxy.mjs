// Stands before a server for programs that cannot send its token, and leaves everything else as it
// is: `node proxy.mjs http://127.0.0.1:8080` prints its own address. The token is in
// HIRAG_SERVER_TOKEN.

import http from "node:http";

const server = new URL(process.argv[2]);
const token = process.env.HIRAG_SERVER_TOKEN;

const proxy = http.createServer((request, response) => {
  const own = String(proxy.address().port);
  const headers = { ...request.headers, authorization: `Bearer ${token}` };
  // What a client says of the port is meant for the server behind.
  for (const name of ["host", "origin"]) {
    headers[name] &&= headers[name].replace(`:${own}`, `:${server.port}`);
  }
  const { method, url: path } = request;
  const passed = http.request(
    { host: server.hostname, port: server.port, method, path, headers },
    (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    },
  );
  passed.on("error", () => response.destroy());
  response.on("close", () => passed.destroy());
  request.pipe(passed);
});

proxy.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${proxy.address().port}`));
