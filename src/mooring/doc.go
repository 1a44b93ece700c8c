// Package mooring is the top of the module and holds no code. Its packages lie
// on floors, named in floors_test.go, and import only from floors below.
package mooring
