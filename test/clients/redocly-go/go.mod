module program

go 1.23

require latchkey v0.0.0

replace latchkey => ../../../generated/clients/go
