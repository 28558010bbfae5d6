// Prints the variables of a file as `docker run --env-file` reads them, by its own parser.
package main

import (
	"fmt"
	"os"

	"github.com/docker/cli/pkg/kvfile"
)

func main() {
	vars, err := kvfile.Parse(os.Args[1], os.LookupEnv)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for _, v := range vars {
		fmt.Println(v)
	}
}
