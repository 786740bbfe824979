import { defineConfig } from 'vite';

// One script, one style sheet, names that carry a hash of their content. Paths are relative to
// <base>, which workerd writes at run time, so that one build serves every mount point.
export default defineConfig({
  base: './',
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none' },
  build: {
    target: 'es2022',
    outDir: 'assets',
    emptyOutDir: true,
    assetsDir: '.',
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    modulePreload: false,
    reportCompressedSize: false,
    rollupOptions: {
      output: {
        entryFileNames: 'app-[hash].js',
        assetFileNames: '[name]-[hash][extname]',
      },
    },
  },
});
