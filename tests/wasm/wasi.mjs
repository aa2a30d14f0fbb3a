// Runs a program for wasm32-wasip1 with all environment variables of this process.
//
//     node --no-warnings tests/wasm/wasi.mjs PROGRAM.wasm [ARGUMENT...]

import { readFile } from "node:fs/promises";
import { argv, cwd, env, exit } from "node:process";
import { WASI } from "node:wasi";

const wasi = new WASI({
    version: "preview1",
    args: argv.slice(2),
    env,
    // The tests write the seeds of failed properties there.
    preopens: { ".": cwd() },
});
const module = await WebAssembly.compile(await readFile(argv[2]));
exit(wasi.start(await WebAssembly.instantiate(module, wasi.getImportObject())));
