"""The network: features, batches, model, training, scoring, calibration; may import torch and dgl."""
