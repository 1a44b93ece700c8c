// Package manifest reads the files that people write: the manifest of an
// application (ParseApps) and an operator's plan (ParsePlan). Both are YAML;
// a field that is not known is refused, and every problem is reported with the
// line and column it is at, all of them at once where the YAML itself is
// sound. Nothing here touches files or the network.
package manifest
