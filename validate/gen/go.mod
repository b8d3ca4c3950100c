module github.com/sallyport/sallyport/validate/gen

go 1.26.0

require github.com/klauspost/compress v1.20.0

require go.yaml.in/yaml/v3 v3.0.5
