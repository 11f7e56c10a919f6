internal import CarillonCommand

await carillonMain()
