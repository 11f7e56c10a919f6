// Measures how long robfig/cron takes for a next due time; prints the same lines as speed.py. With Debian's package:
// GO111MODULE=off GOPATH=/usr/share/gocode go run speed.go [rounds]
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/robfig/cron"
)

func main() {
	rounds := 3
	if len(os.Args) > 1 {
		rounds, _ = strconv.Atoi(os.Args[1])
	}
	parser := cron.NewParser(cron.Second | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)
	for _, text := range []string{"* * * * * *", "0 */5 * * * *", "0 0 9 * * 1-5", "0 0 0 29 2 *"} {
		for _, zone := range []string{"UTC", "Europe/Berlin"} {
			location, err := time.LoadLocation(zone)
			if err != nil {
				panic(err)
			}
			schedule, err := parser.Parse("CRON_TZ=" + zone + " " + text)
			if err != nil {
				panic(err)
			}
			count := 100000
			for round := 0; round < rounds; round++ {
				begin := time.Date(2026, 1, 1, 0, 0, 0, 0, location)
				at := begin
				start := time.Now()
				for step := 0; step < count; step++ {
					at = schedule.Next(at)
					if at.Year() > 2090 {
						at = begin
					}
				}
				fmt.Printf("robfig\t%s\t%s\t%d\n", text, zone, time.Since(start).Nanoseconds()/int64(count))
			}
		}
	}
}
