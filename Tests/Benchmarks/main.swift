await benchMain()
