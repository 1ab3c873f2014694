import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vitest/config";

/** Where `npm run dev` finds a running `paidui serve`. */
const SERVER = process.env["PAIDUI_SERVER"] ?? "http://127.0.0.1:8700";

export default defineConfig({
  plugins: [vue()],
  build: {
    outDir: "../static",
    emptyOutDir: true,
    target: "es2022",
    // The page's policy is `default-src 'self'`, which has no data: addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: {
      "/api": SERVER,
      "/chat": { target: SERVER, ws: true },
      "/ws": { target: SERVER.replace(/^http/, "ws"), ws: true },
    },
  },
  test: { environment: "happy-dom", include: ["tests/**/*.test.ts"] },
});
