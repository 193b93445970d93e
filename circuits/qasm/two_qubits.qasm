OPENQASM 3.0;
include "stdgates.inc";

// Features and trainable parameters, in radians.
input float[64] x0;
input float[64] x1;
input float[64] theta0;
input float[64] theta1;
input float[64] theta2;

gate block(a, b) t {
  ry(a) t;
  rz(b) t;
}

qubit[2] q;

block(theta0, theta1) q[0];
rx(x0) q[0];
ry(2 * x1 + theta2) q[1];
cx q[0], q[1];
rx(x0 - pi / 3) q[1];
