"""Torch expressions on which a formal run is compared with torch itself."""

from __future__ import annotations

import torch

#: Shapes of the inputs that the expressions name.
SHAPES = {
    "a": (2, 3), "b": (2, 3), "c": (3,), "s": (), "m": (3, 4), "q": (3, 3), "u": (2, 3, 3),
    "t": (2, 3, 4), "e": (0, 3), "one": (2, 1, 3), "w": (4, 3), "d": (2, 6),
}  # fmt: skip

ELEMENTWISE = """
a + b; a + 2; 2 + a; a + c; a + s; a + one; torch.add(a, b, alpha=3); a.add(b); a.add(1.5); s + 1
a - b; 2 - a; a - c; torch.sub(a, b, alpha=0.5); torch.subtract(a, b); torch.rsub(a, b); a.sub(s)
a * b; 3 * a; torch.mul(a, 2); torch.multiply(a, b); a.mul(one); a / b; 2 / a; a / 4
torch.div(a, b); torch.divide(a, 2); torch.true_divide(a, b); a.div(c); torch.reciprocal(a)
a.reciprocal(); -a; torch.neg(a); torch.negative(a); +a; torch.positive(a); torch.square(a)
a.square(); a ** 2; a ** 3; a ** 0; a ** -1; a ** -2; a ** 1.0; a.pow(5); torch.pow(a, 2)
torch.pow(a, torch.tensor([1, 2, 3])); torch.pow(a, torch.tensor([[2.0], [0.0]]))
torch.float_power(a, 3); 2.0 ** torch.tensor([1.0, 3.0], dtype=torch.float64) + s; abs(a) ** 0.5
a.square().sqrt(); cos(a); sin(a); torch.tan(s); a.cos(); a.sin(); torch.tanh(a); torch.exp(a)
torch.sigmoid(a); torch.relu(a); F.relu(a); torch.abs(a); torch.absolute(a); abs(a); torch.sign(a)
torch.atan(a); torch.arctan(a); torch.asin(a); torch.arcsin(a); torch.acos(a); torch.arccos(a)
torch.sinc(a); torch.erf(a); F.silu(a); torch.log1p(a.square()); torch.expm1(a); torch.sinh(a)
torch.cosh(a); F.softplus(a); torch.log(a.square() + 1); torch.rsqrt(a.square() + 1)
torch.sqrt(a.square() + 1); torch.deg2rad(a); torch.deg2rad(s); torch.polar(a, b)
torch.complex(a, b); torch.complex(c, c) * 2; z.real; z.imag; torch.real(z); torch.imag(z)
torch.real(a); z.conj(); torch.conj(z); torch.conj_physical(z); z.conj().resolve_conj()
a.resolve_neg(); z.conj().resolve_neg(); z * z; z + a; a - z; z / z2; 1 / z; a / z; z / 2; z * 1j
z ** 2; z ** 3; z ** -1; -z; z + 1j; torch.exp(1j * a); torch.exp(-1j * s); torch.exp(z * 1j)
torch.exp(z); abs(z) ** 2; z.abs() ** 2; torch.abs(z).square(); z.abs().pow(2); torch.reciprocal(z)
torch.addcmul(a, b, c); torch.addcmul(a, b, b, value=0.5); torch.lerp(a, b, 0.25)
torch.lerp(a, b, b); torch.where(torch.tensor([True, False, True]), a, b)
torch.where(torch.tensor([[True], [False]]), a, 0.0); torch.where(torch.tensor(True), c, a)
a.where(torch.eye(2, 3, dtype=torch.bool), b); torch.where(torch.tensor([True, False, True]), z, a)
a.masked_fill(torch.tensor([True, False, False]), 2.0); a.masked_fill(torch.tensor(True), 0)
F.dropout(a, 0.5, False); F.dropout(a, p=0.5, training=False); torch.dropout(a, 0.5, False)
F.dropout(a, 0.0); a ** True; a ** torch.tensor(2); z.pow(2); z.square(); e + 1; e * e; cos(e)
torch.add(a, 2, alpha=3); a ** 2.0; torch.cos(torch.tensor([0.5, 1.0], dtype=torch.float64)) + s
torch.tensor(0.5).double() * a; torch.ones(3) * a; torch.zeros(2, 3) + a
"""

DUNDERS = """
a.__add__(b); a.__radd__(2); a.__mul__(b); a.__rmul__(c); a.__sub__(b); a.__truediv__(b)
a.__matmul__(m); list(a.__iter__()); a.__rdiv__(2); a.__rsub__(b)
"""

REDUCTIONS = """
a.sum(); torch.sum(a); a.sum(0); a.sum(-1); a.sum(dim=(0, 1)); a.sum(dim=()); a.sum((0, -1))
a.sum(1, keepdim=True); a.sum(1, True); torch.sum(a, axis=1); a.sum(dim=None); s.sum(); s.sum(0)
t.sum((0, 2)); t.sum(dim=[0, 2], keepdim=True); e.sum(); e.sum(0); e.sum(1)
a.sum(None, keepdim=True); z.sum(-1); a.mean(); a.mean(0); a.mean(dim=(0, 1), keepdim=True)
torch.mean(t, (0, 2)); z.mean(1); s.mean(); a.mean(-1, True); torch.mean(a, axis=0); a.prod()
a.prod(0); a.prod(1, keepdim=True); z.prod(1); torch.prod(a, -1); torch.prod(a, dim=1, keepdim=True)
s.prod(); e.prod(0); e.prod(); a.cumsum(0); a.cumsum(-1); torch.cumsum(a, dim=1); a.cumprod(1)
torch.cumprod(a, 0); z.cumprod(1); e.cumsum(0); s.cumsum(0); torch.trace(q); q.trace()
torch.trace(m); s.cumprod(0)
"""

PRODUCTS = """
a @ m; torch.matmul(a, m); t @ w; a @ c; c @ m; c @ c; torch.mm(a, m); torch.bmm(u, t)
torch.mv(a, c); u @ t; one @ t; q @ u; z @ zq; c.matmul(m); torch.dot(c, c + 1)
torch.vdot(zc, zc * 1j); torch.vdot(c, c); torch.linalg.vecdot(z, z2)
torch.linalg.vecdot(a, b, dim=0); torch.linalg.vecdot(t, t, dim=1); torch.inner(a, b)
torch.inner(c, c); torch.inner(a, c); torch.inner(s, a); torch.inner(t, w[:, :1].expand(4, 4))
torch.outer(c, m[0]); torch.ger(c, c); torch.outer(zc, c); F.linear(a, w); F.linear(a, w, m[0])
F.linear(c, w); F.linear(t, m.expand(3, 4)); F.linear(a, c); F.linear(a, w, bias=m[1])
torch.addmm(q[:2], a, q); torch.addmm(c, a, q, beta=2, alpha=0.5); torch.baddbmm(u, u, u, beta=3)
torch.addmv(c, q, c, alpha=2); torch.linalg.multi_dot([a, q, m]); torch.linalg.multi_dot([c, q, c])
torch.matrix_power(q, 3); torch.linalg.matrix_power(u, 2); torch.matrix_power(q, 0)
torch.kron(a, m); torch.kron(c, c); torch.kron(a, c); torch.kron(z, q); torch.kron(t, a)
torch.kron(s, a); torch.einsum("ij,jk->ik", a, m); torch.einsum("ij,jk", a, m)
torch.einsum("ij->ji", a); torch.einsum("ij->", a); torch.einsum("ii->i", q); torch.einsum("ii", q)
torch.einsum("i,i", c, c); torch.einsum("...ij,jk->...ik", t, m.T)
torch.einsum("...i,...i->...", a, b); torch.einsum("i...,i...->...", a, b)
torch.einsum("bi,bij,bj->b", a, u, b); torch.einsum("bij,jk,bk->bi", u, q, a); torch.einsum("ba", a)
torch.einsum("bi,ci,i->bc", a, b, c); torch.einsum("i,j->ij", c, m[0])
torch.einsum("ij,kl->", a, m); torch.einsum("bii->b", u); torch.einsum("...ii->...", u)
torch.einsum("iij->j", torch.stack([q, q, q])); torch.einsum(",", s, s); torch.einsum("i,->i", c, s)
torch.einsum("ij , jk -> ik", a, m); torch.einsum("...,...", a, s)
torch.einsum("bij,bjk->bik", [u, t]); torch.einsum("ij,jk->ik", z, zq)
torch.einsum("...j,jk", t, w); torch.einsum("iji->j", u[:, :2, :2])
torch.einsum("ab,ab,ab->", a, b, a); torch.einsum("ji,jk->ik", m, q); torch.einsum("i...->...", t)
torch.einsum("...->...", a); torch.einsum("ab,cb", a, q); torch.einsum("Ab,bC", a, m)
torch.einsum("Ba,aA->BA", a, m); torch.einsum("ij,j->ij", a, c[:1]); torch.tensordot(a, m, 1)
torch.tensordot(a, m, dims=([1], [0])); torch.tensordot(t, u, ([0, 1], [0, 2]))
torch.tensordot(a, b, 2); torch.tensordot(a, b, 0); torch.tensordot(t, w, ([-1], [0]))
torch.tensordot(u, u, ([1, 2], [2, 1])); torch.tensordot(t, u, ([1, 0], [2, 0]))
a.__rmatmul__(a[:, :2]); e @ m; e.T @ e; torch.einsum("ij,ik->jk", e, e)
"""

STRUCTURE = """
a.clone(); a.contiguous(); a.detach(); a.double(); a.cpu(); a.data; a.requires_grad_()
a.clone(memory_format=torch.preserve_format); a.requires_grad_(False); a.to(torch.float64)
a.to("cpu"); a.to(b); a.to(torch.complex128); a.to(device="cpu"); a.to("cpu", torch.float64)
a.to(dtype=torch.float64, copy=True); a.type(torch.float64); a.type_as(b); a.to(z)
torch.as_tensor(a); torch.asarray(a); torch.as_tensor(a, dtype=torch.float64)
z.to(torch.complex128); a.reshape(3, 2); a.reshape((3, 2)); a.reshape(-1); a.view(6); a.view(-1, 2)
torch.reshape(a, (6,)); a.reshape(shape=(6,)); a.view_as(b); d.reshape_as(torch.ones(3, 4))
a.view(2, 1, -1); s.reshape(1); a.reshape([2, 3]); a.view(torch.Size([6])); e.reshape(3, 0)
s.view(1, 1); a[:1, :1].reshape(()); t.flatten(); t.flatten(1); t.flatten(0, 1)
torch.flatten(t, -2); t.flatten(start_dim=1, end_dim=2); s.flatten(); a.flatten(1, 1); a.ravel()
torch.ravel(t); d.unflatten(1, (2, 3)); d.unflatten(-1, (-1, 2)); torch.unflatten(d, 1, (3, -1))
t.permute(2, 0, 1); t.permute((1, 0, 2)); torch.permute(t, (0, -1, 1)); t.permute([-1, 0, 1])
t.transpose(0, 1); t.transpose(-1, -2); torch.swapaxes(t, 0, 2); torch.swapdims(t, 0, 1); a.t(); a.T
c.t(); s.t(); m.mT; t.mT; z.H; z.mH; a.H; z.adjoint(); t.mH; t.movedim(0, -1)
torch.moveaxis(t, (0, 1), (1, 2)); t.movedim([0], [2]); torch.movedim(t, 1, 0); one.squeeze()
one.squeeze(1); one.squeeze(0); one.squeeze(-2); one.squeeze((0, 1)); torch.squeeze(one)
s.squeeze(); s.squeeze(0); s.squeeze(-1); a.unsqueeze(0); a.unsqueeze(-1); a.unsqueeze(1)
s.unsqueeze(0); torch.unsqueeze(a, 2); a.unsqueeze(-3); c.expand(2, 3); c.expand((4, 3))
one.expand(-1, 5, -1); torch.broadcast_to(c, (2, 3)); s.expand(3); s.expand(2, 2)
one.expand(4, 2, 7, 3); c.expand_as(a); torch.broadcast_tensors(a, c)
torch.broadcast_tensors(c, one, s); a.repeat(2, 1); a.repeat(2, 1, 3); a.repeat((1, 2))
torch.tile(a, (2,)); torch.tile(a, (2, 1, 1)); a.tile(3); s.repeat(3); s.repeat(2, 2)
a.tile((1, 2)); c.repeat(0); a.repeat_interleave(2); a.repeat_interleave(3, 1)
torch.repeat_interleave(a, 2, dim=0); a.repeat_interleave(2, dim=-1); a.flip(0); a.flip(-1)
torch.flip(a, (0, 1)); a.flip([1]); torch.fliplr(a); a.fliplr(); a.roll(1); a.roll(1, 0)
torch.roll(a, (1, 2), (0, 1)); torch.roll(a, shifts=-1, dims=1); torch.roll(t, 2, -1); a.unbind()
a.unbind(1); torch.unbind(t, -1); list(a); [r * 2 for r in t]; sum(r for r in c); [*a]
a.split(2, 1); torch.split(a, [1, 2], 1); a.split(1); torch.split(d, 4, dim=1)
d.split((1, 2, 3), dim=-1); torch.split_with_sizes(d, [2, 4], 1); d.split_with_sizes([6], -1)
e.split(2); e.split(1, 1); a.chunk(2, 1); torch.chunk(d, 4, -1); d.chunk(5, 1); d.chunk(3, dim=1)
a.chunk(7); torch.chunk(d, 1, 1); torch.tensor_split(d, 4, 1); torch.tensor_split(a, 5)
torch.hsplit(d, 2); torch.tensor_split(d, 2, dim=-1); torch.hsplit(c, 3); d.tensor_split(3, 1)
a.narrow(1, 1, 2); torch.narrow(d, -1, 2, 3); a.narrow(0, 0, 0); a.narrow(1, 0, 3)
d.narrow(1, -3, 2); a.select(0, 1); a.select(1, -1); torch.select(t, -1, 2); t.select(1, 0)
t.select(dim=0, index=1); torch.index_select(a, 1, torch.tensor([2, 0, 2]))
a.index_select(-1, torch.tensor([0])); a.index_select(0, torch.tensor([1]))
torch.gather(a, 1, torch.tensor([[2, 0], [1, 1]])); a.gather(0, torch.tensor([[1, 0, 1]]))
a.gather(-1, torch.tensor([[2]])); torch.take_along_dim(a, torch.tensor([[2, 0], [1, 1]]), 1)
torch.take_along_dim(a, torch.tensor([[2]]), 1); torch.take_along_dim(a, torch.tensor([[2]]), dim=1)
torch.take_along_dim(a, torch.tensor([5, 0]))
"""

INDEXING = """
a[0]; a[-1]; a[:, 0]; a[:, 1:]; a[:, ::2]; a[..., -1]; a[None]; a[:, None]; a[0, 1]; a[0][1]
t[1, :, 2]; a[:, [2, 0]]; a[[1, 0]]; a[[1, 0], [2, 1]]; t[[0, 1], :, [1, 2]]; t[:, [0, 2], [1, 3]]
a[torch.tensor([1, 0])]; u[0, :, [0, 1]]; u[:2, 0, [2, 1]]; t[:2, :2, :2][0, :, [0, 1]]
a[:, torch.tensor([True, False, True])]; a[torch.eye(2, 3, dtype=torch.bool)]; t[0, ..., 0]
t[..., None, :]; a[torch.tensor(1)]; a[:, torch.tensor([[0, 1], [2, 2]])]; a[[0, 1], None]
t[0, :, [1, 2]]; t[[0], 1, [1, 2]]; t[:, 0, [1, 2]]; t[None, :, [0, 1], 0]; t[[[0], [1]], [0, 1]]
a[()]; a[...]; s[...]; s[None]; s[()]; a[1:1]; c[2]
a[torch.tensor([[0], [1]]), torch.tensor([0, 2])]; a[0:5]; a[True]; a[:, -2:]; a[np.array([1, 0])]
a[False]; t[:, torch.tensor([True, False, True]), 1]; t[torch.tensor([0, 1]), torch.tensor([2, 0])]
a[slice(0, 1)]; t[0, None, [0, 1]]; t[[0, 1], None, [0, 1]]; t[0][:, [1, 0]]; a[[True, False]]
t[..., [0, 1], :]; a[np.int64(1)]; a[torch.tensor([], dtype=torch.long)]; a[:, torch.arange(2)]
a[torch.arange(2), torch.arange(2)]; torch.stack([a, b]); torch.stack((a, b), 1)
torch.stack([a, b], dim=-1); torch.stack([s, s, s * 2]); torch.stack(a.unbind(1), 1)
torch.stack([c, c], -2); torch.stack([z, a.to(torch.complex128)], 0)
torch.stack([a[:, 0], torch.ones(2).double()], 1); torch.cat([a, b]); torch.cat((a, b), 1)
torch.cat([a, c[None]], dim=0); torch.cat([a, b], -1); torch.concat([a, b], axis=1)
torch.concatenate([a, b], 0); torch.cat([a, e]); torch.cat([z, z2], 1)
torch.cat([a, torch.zeros(1, 3).double()]); torch.hstack([a, b]); torch.hstack([c, c])
torch.hstack([s, s]); torch.vstack([a, b]); torch.vstack([c, c]); torch.row_stack([c, a])
torch.dstack([a, b]); torch.dstack([c, c]); torch.dstack([s, s]); torch.column_stack([a, b])
torch.column_stack([c, q]); torch.column_stack([s, s]); torch.vstack([s, s]); torch.atleast_1d(s)
torch.atleast_1d(a); torch.atleast_2d(c); torch.atleast_2d(s); torch.atleast_2d(t)
torch.diagonal(q); q.diagonal(1); torch.diagonal(u, 0, 1, 2); u.diagonal(dim1=-2, dim2=-1)
torch.diagonal(t, -1, 1, 2); q.diagonal(offset=-1); torch.diag_embed(c); torch.diag(c); c.diag()
torch.tril(q); torch.triu(q); q.tril(-1); torch.triu(u, 1); torch.tril(m, diagonal=1)
torch.view_as_real(z); torch.view_as_complex(t[..., :2].contiguous()); torch.view_as_real(zc * 2)
torch.view_as_complex(q[:, :2].clone()); a + torch.zeros_like(a); a + torch.ones_like(a)
torch.zeros_like(a, dtype=torch.float64) + a; torch.full_like(a, 2.5) + a; a + a.new_zeros(3)
a.new_zeros((2, 3)) + a; a.new_zeros(2, 3) + a; a + a.new_ones(2, 1)
a.new_tensor([1.0, 2.0, 3.0]) * a; a.new_full((2, 3), 0.5) + a
a.new_ones((3,), dtype=torch.float64) + a; torch.ones_like(s) + a; torch.zeros_like(z) + a
torch.ones_like(z) * a; z.new_zeros(3) + a; torch.full_like(z, 2) + a; z.new_ones(3) * a
torch.full_like(a, 3) + a; z.new_full((3,), 1.5) + a; z.new_tensor([1.0, 0.5, 2.0]) + a
torch.meshgrid(torch.arange(3.0).double(), torch.arange(3.0).double(), indexing="ij")[0] * c
torch.linspace(0, 1, 3, dtype=torch.float64) * a; torch.arange(3, dtype=torch.float64) * a
torch.arange(3) * a; torch.tensor([1, 2, 3]) * a; torch.as_tensor(np.array([1.0, 2.0, 3.0])) * a
torch.from_numpy(np.ones(3)) * a; a * np.float64(2.0); a + True
torch.tensor(1j, dtype=torch.complex128) * a; a * torch.tensor([True, False, True])
"""


def expressions() -> list[str]:
    """All of them."""
    text = ELEMENTWISE + DUNDERS + REDUCTIONS + PRODUCTS + STRUCTURE + INDEXING
    return [one.strip() for line in text.splitlines() for one in line.split(";") if one.strip()]


# --- programs that write in place ---


def added(a, b):
    y = a * 1
    y += b
    return y


def every_operator(a, b):
    y = a.clone()
    y -= b
    y *= 2
    y /= b
    y **= 2
    return y


def methods(a, b):
    y = a.clone()
    return y.add_(b).mul_(2).sub_(b, alpha=3).neg_().div_(2).square_()


def columns(a, b):
    out = torch.zeros(2, 3, dtype=torch.float64)
    out[:, 0] = a[:, 1]
    out[:, 1] = out[:, 1] + b[:, 2]
    out[1, 2] = 3.0
    return out


def masked(a, b):
    y = a.clone()
    y[torch.tensor([True, False])] = b[0]
    y[[0, 1], [1, 2]] = b[:, 0]
    y[:, torch.tensor([0, 2])] = 7.0
    return y


def copied(a, b):
    y = torch.empty(2, 3, dtype=torch.float64)
    y.copy_(b[0])
    y.add_(a)
    return y


def chained_double(a, b):
    y = torch.zeros(2, 3).double()
    y[0] = a[1]
    return y * b


def same_object(a, b):
    y = a * b
    x = y
    y += 1
    return x


def filled(a, b):
    y = torch.zeros(3, dtype=torch.float64)
    y.fill_(2.0)
    y[1] = 5
    return y * a


def complex_buffer(a, b):
    y = torch.zeros(2, 3, dtype=torch.complex128)
    y[:, 0] = a[:, 0] * 1j
    y[:, 1] = b[:, 0]
    return y


PROGRAMS = [
    added, every_operator, methods, columns, masked, copied, chained_double, same_object, filled,
    complex_buffer,
]  # fmt: skip
