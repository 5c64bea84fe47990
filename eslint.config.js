import js from "@eslint/js";
import noSecrets from "eslint-plugin-no-secrets";
import reactHooks from "eslint-plugin-react-hooks";
import security from "eslint-plugin-security";
import tseslint from "typescript-eslint";

export default tseslint.config(
  {
    ignores: [
      "vitest.config.ts",
      "**/node_modules/",
      "**/.tsbuild/",
      "**/dist/",
      "**/build/",
      "**/.relaykey/",
      "**/worker-configuration.d.ts",
      "**/openapi.d.ts",
      "db/migrations/",
    ],
  },
  {
    files: ["**/*.{ts,tsx}"],
    extends: [js.configs.recommended, tseslint.configs.strictTypeChecked, security.configs.recommended],
    plugins: { "no-secrets": noSecrets },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // A decision that is not awaited is no decision.
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-unused-vars": [
        "error",
        { argsIgnorePattern: "^_", varsIgnorePattern: "^_", ignoreRestSiblings: true },
      ],
      // The compiler forbids `env.name` on index signatures; both rules would contradict each other.
      "@typescript-eslint/dot-notation": "off",
      "no-secrets/no-secrets": ["error", { tolerance: 4.7, ignoreContent: ["^[A-Za-z0-9]{62}$"] }],
      // These two flag every bracket access and every readFile(variable): the type checker says more.
      "security/detect-object-injection": "off",
      "security/detect-non-literal-fs-filename": "off",
      // Counts nested quantifiers, also where a delimiter between them makes the match linear.
      "security/detect-unsafe-regex": "off",
      // Flags every comparison of something called "secret", null checks included; tokens are looked up by hash.
      "security/detect-possible-timing-attacks": "off",
      "security/detect-non-literal-regexp": "off",
    },
  },
  {
    // A hook that is called in one rendering and left out in the next breaks the page: no compiler sees that.
    files: ["control-plane/app/**/*.{ts,tsx}"],
    extends: [reactHooks.configs.flat["recommended-latest"]],
  },
  {
    // Raw paths are judged byte for byte: a URL parser's view of them must not creep in.
    files: ["workers/proxy/**/*.ts"],
    ignores: ["**/*.test.ts", "workers/proxy/test/**"],
    rules: {
      "no-restricted-properties": [
        "error",
        { property: "pathname", message: "Judge the raw path (steps/intake.ts), not a parsed one." },
        { property: "searchParams", message: "Judge the raw query (core/query), not a parsed one." },
      ],
    },
  },
  {
    files: ["workers/**/*.ts", "control-plane/**/*.{ts,tsx}", "core/**/*.ts", "db/**/*.ts"],
    ignores: ["core/log.ts", "**/*.test.ts", "**/test/**"],
    rules: { "no-console": "error" },
  },
  {
    files: ["**/*.test.ts", "**/test/**/*.ts", "e2e/**/*.ts"],
    rules: {
      "@typescript-eslint/no-unsafe-type-assertion": "off",
      "@typescript-eslint/require-await": "off",
      "no-secrets/no-secrets": "off",
    },
  },
);
