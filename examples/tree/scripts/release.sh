#!/bin/sh
curl -H "Authorization: Basic ZXhhbXBsZTpFWEFNUExFMDEyMzQ1Njc4OQ==" https://api.example.com/release
