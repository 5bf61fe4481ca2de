"""The forms a model can be given to a device in: conversion, calibration, metadata."""
