module counterpart

go 1.22

require github.com/docker/cli v28.5.2+incompatible
